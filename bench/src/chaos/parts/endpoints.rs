//! Addresses, and the links between parts.

use std::{
    io,
    net::SocketAddr,
    time::{Duration, SystemTime},
};

use crate::chaos::{
    link::{Keepalive, Link},
    plan::{Account, LinkTo, WORKERS},
};

/// The links of one worker.
struct OfWorker {
    temporal: Link,
    store: Link,
    /// In the order of [`Account::ALL`].
    apis: Vec<Link>,
    callbacks: Link,
}

/// All links.
pub(in crate::chaos) struct Links {
    workers: Vec<OfWorker>,
    callers: Link,
    database: Option<Link>,
}

/// Where the links lead.
pub(in crate::chaos) struct Targets {
    pub(in crate::chaos) temporal: SocketAddr,
    pub(in crate::chaos) store: SocketAddr,
    /// In the order of [`Account::ALL`].
    pub(in crate::chaos) apis: [SocketAddr; Account::ALL.len()],
    /// The ingress of each worker.
    pub(in crate::chaos) ingress: [SocketAddr; WORKERS],
}

#[cfg(test)]
impl Links {
    /// Returns links to nothing.
    pub(in crate::chaos) async fn to_nowhere() -> Self {
        let nowhere = SocketAddr::from(([127, 0, 0, 1], 9));
        let targets = Targets {
            temporal: nowhere,
            store: nowhere,
            apis: [nowhere; Account::ALL.len()],
            ingress: [nowhere; WORKERS],
        };
        Self::start(&targets, None).await.unwrap()
    }
}

impl Links {
    pub(in crate::chaos) async fn start(
        targets: &Targets,
        database: Option<Link>,
    ) -> io::Result<Self> {
        let mut workers = Vec::new();
        for ingress in targets.ingress {
            let mut apis = Vec::new();
            for api in targets.apis {
                apis.push(Link::start(api, Keepalive::Absent).await?);
            }
            workers.push(OfWorker {
                temporal: Link::start(targets.temporal, Keepalive::Absent).await?,
                store: Link::start(targets.store, Keepalive::Absent).await?,
                apis,
                callbacks: Link::start(ingress, Keepalive::Absent).await?,
            });
        }
        Ok(Self {
            workers,
            callers: Link::start(targets.temporal, Keepalive::Absent).await?,
            database,
        })
    }

    /// Returns the link to an API that a worker reaches by this host, and the number of the worker.
    pub(in crate::chaos) fn to_api(&self, host: &str) -> Option<(usize, &Link)> {
        let workers = self.workers.iter().enumerate();
        let mut links =
            workers.flat_map(|(worker, links)| links.apis.iter().map(move |link| (worker, link)));
        links.find(|(_, link)| link.address.to_string() == host)
    }

    /// Returns how long the links to an API carried nothing between two times, in total.
    pub(in crate::chaos) fn outage_of_api(
        &self,
        account: Account,
        from: SystemTime,
        until: SystemTime,
    ) -> Duration {
        self.outage(|worker| LinkTo::Api(worker, account), from, until)
    }

    /// Returns how long the links from workers to Temporal carried nothing between two times, in total.
    pub(in crate::chaos) fn outage_of_temporal(
        &self,
        from: SystemTime,
        until: SystemTime,
    ) -> Duration {
        self.outage(LinkTo::Temporal, from, until)
    }

    fn outage(
        &self,
        of_worker: impl Fn(usize) -> LinkTo,
        from: SystemTime,
        until: SystemTime,
    ) -> Duration {
        let links = (0..WORKERS).filter_map(|worker| self.get(of_worker(worker)));
        links.map(|link| link.outage(from, until)).sum()
    }

    /// Returns a link, or `None` if there is nothing to link.
    pub(in crate::chaos) fn get(&self, link: LinkTo) -> Option<&Link> {
        match link {
            LinkTo::Temporal(worker) => Some(&self.workers.get(worker)?.temporal),
            LinkTo::Store(worker) => Some(&self.workers.get(worker)?.store),
            LinkTo::Api(worker, account) => self.workers.get(worker)?.apis.get(account.index()),
            LinkTo::Database => self.database.as_ref(),
            LinkTo::Callers => Some(&self.callers),
            LinkTo::Callbacks(worker) => Some(&self.workers.get(worker)?.callbacks),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_links_to_apis_are_found_by_the_host_of_a_request() {
        let links = Links::to_nowhere().await;
        let worker_of = |link: LinkTo| {
            let host = links.get(link).unwrap().address.to_string();
            links.to_api(&host).map(|(worker, _)| worker)
        };
        assert_eq!(worker_of(LinkTo::Callers), None);
        for worker in 0..WORKERS {
            for account in Account::ALL {
                assert_eq!(worker_of(LinkTo::Api(worker, account)), Some(worker));
            }
            for link in [LinkTo::Temporal, LinkTo::Store, LinkTo::Callbacks] {
                assert_eq!(worker_of(link(worker)), None);
            }
        }
        assert!(links.get(LinkTo::Database).is_none());
    }
}
