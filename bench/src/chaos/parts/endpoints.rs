//! Addresses, and the links between parts.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr, TcpListener},
};

use crate::chaos::{
    link::{Keepalive, Link},
    plan::{Account, LinkTo, WORKERS},
};

/// Returns an address that is free until somebody else takes it, which nobody on a machine that runs benchmarks does. It is
/// below the ports of outgoing connections, so that it can be bound again.
pub(in crate::chaos) fn free_address() -> io::Result<SocketAddr> {
    const FIRST: u16 = 12_000;
    const COUNT: u16 = 20_000;
    loop {
        // A free port that the system chooses is random enough to choose another one by.
        let random = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
        let port = FIRST + random.port().wrapping_mul(7) % COUNT;
        if let Ok(listener) = TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
            return listener.local_addr();
        }
    }
}

/// The links of one worker.
struct OfWorker {
    temporal: Link,
    store: Link,
    called: Link,
    automatic: Link,
}

/// All links.
pub(in crate::chaos) struct Links {
    workers: Vec<OfWorker>,
    database: Option<Link>,
}

/// Where the links lead.
pub(in crate::chaos) struct Targets {
    pub(in crate::chaos) temporal: SocketAddr,
    pub(in crate::chaos) store: SocketAddr,
    pub(in crate::chaos) called: SocketAddr,
    pub(in crate::chaos) automatic: SocketAddr,
}

impl Links {
    pub(in crate::chaos) async fn start(
        targets: &Targets,
        database: Option<Link>,
    ) -> io::Result<Self> {
        let mut workers = Vec::new();
        for _ in 0..WORKERS {
            workers.push(OfWorker {
                temporal: Link::start(targets.temporal, Keepalive::Absent).await?,
                store: Link::start(targets.store, Keepalive::Absent).await?,
                called: Link::start(targets.called, Keepalive::Absent).await?,
                automatic: Link::start(targets.automatic, Keepalive::Absent).await?,
            });
        }
        Ok(Self { workers, database })
    }

    /// Returns the link to an API that a worker reaches by this host, and the number of the worker.
    pub(in crate::chaos) fn to_api(&self, host: &str) -> Option<(usize, &Link)> {
        let links = self.workers.iter().enumerate();
        let mut links =
            links.flat_map(|(worker, links)| [(worker, &links.called), (worker, &links.automatic)]);
        links.find(|(_, link)| link.address.to_string() == host)
    }

    /// Returns a link, or `None` if there is nothing to link.
    pub(in crate::chaos) fn get(&self, link: LinkTo) -> Option<&Link> {
        match link {
            LinkTo::Temporal(worker) => Some(&self.workers.get(worker)?.temporal),
            LinkTo::Store(worker) => Some(&self.workers.get(worker)?.store),
            LinkTo::Api(worker, Account::Called) => Some(&self.workers.get(worker)?.called),
            LinkTo::Api(worker, Account::Automatic) => Some(&self.workers.get(worker)?.automatic),
            LinkTo::Database => self.database.as_ref(),
        }
    }
}
