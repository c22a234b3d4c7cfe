//! Shares the rate limits of the accounts with the other workers of the task queues.
//!
//! No worker exceeds its share of the limits while another one starts: a worker that finds others sends nothing until
//! they must have noticed it.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    time::{Duration, SystemTime},
};

use seedance_archiver_policy::shares::{self, Fleet, Poller, Role, Watcher};
use seedance_archiver_proto::names;
use temporalio_client::{Client, tonic::Status};
use temporalio_common::protos::temporal::api::{
    enums::v1::TaskQueueType, taskqueue::v1::PollerInfo,
};
use tokio::time::{sleep, timeout};

use crate::{
    activities::watched_accounts::WatchedAccounts,
    config::Accounts,
    telemetry::rare::RareEvent,
    temporal::{error_text, pollers::pollers, watchers},
};

/// Interval between two counts of the workers.
const INTERVAL: Duration = Duration::from_secs(10);
/// Time before the second count. Workers that start together do not see each other in the first one.
const SECOND_COUNT_DELAY: Duration = Duration::from_secs(2);
/// How long a worker that starts beside others sends nothing. They count it meanwhile.
const NOTICE_TIME: Duration = Duration::from_secs(15);
/// Timeout of a count.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Who watches the accounts, by account name.
type Watchers = BTreeMap<String, Watcher>;

/// The rate limits of this worker.
pub(super) struct RateSharing {
    pub(super) client: Client,
    pub(super) accounts: Accounts,
    pub(super) task_queue: String,
    pub(super) identity: String,
    pub(super) role: Role,
    /// The accounts that this worker watches.
    pub(super) watched: WatchedAccounts,
}

impl RateSharing {
    /// Counts the workers before this one polls. Returns the count, or `None` if it failed: this worker may then use the
    /// entire limits.
    pub(super) async fn join(&self) -> Option<Fleet> {
        let fleet = match self.count().await {
            Ok(fleet) => fleet,
            Err(error) => {
                tracing::warn!(
                    error,
                    "cannot count the workers that share the rate limits; using the entire limits"
                );
                return None;
            }
        };
        if fleet.size() > 1 {
            for account in self.accounts.iter() {
                account.endpoint.query_limit.pause(NOTICE_TIME);
                account.endpoint.list_limit.pause(NOTICE_TIME);
            }
        }
        self.apply(fleet, &BTreeMap::new());
        Some(fleet)
    }

    /// Counts the workers at an interval until it is dropped. `fleet` is the first count.
    pub(super) async fn maintain(&self, mut fleet: Option<Fleet>) -> Infallible {
        let mut event = RareEvent::default();
        let mut watchers = BTreeMap::new();
        sleep(SECOND_COUNT_DELAY).await;
        loop {
            match self.count().await {
                Ok(current) => {
                    let found = self.watchers(current, &watchers).await;
                    if (fleet, &watchers) != (Some(current), &found) {
                        self.apply(current, &found);
                    }
                    fleet = Some(current);
                    watchers = found;
                }
                Err(error) if event.is_due(&error) => tracing::warn!(
                    error,
                    "cannot count the workers that share the rate limits; using the last count"
                ),
                Err(_) => {}
            }
            tokio::select! {
                () = sleep(INTERVAL) => {}
                () = self.watched.changed() => {}
            }
        }
    }

    /// Finds out which accounts are watched. A worker uses the share of a watcher only if the account was watched in the
    /// previous count too: by then every other worker knows. If it takes over from another one, that one has stopped.
    async fn watchers(&self, fleet: Fleet, previous: &Watchers) -> Watchers {
        let mut found = Watchers::new();
        if fleet.query < 2 {
            return found;
        }
        for account in self.accounts.with_list() {
            let name = account.name();
            let describe = watchers::describe(&self.client, name, &self.task_queue);
            // Without an answer, nothing changes.
            let Ok(Ok(state)) = timeout(TIMEOUT, describe).await else {
                found.extend(previous.get(name).map(|it| (name.to_owned(), *it)));
                continue;
            };
            let watcher = match previous.get(name) {
                _ if !state.is_running => continue,
                Some(_) if self.watched.includes(name) => Watcher::Own,
                _ => Watcher::Other,
            };
            found.insert(name.to_owned(), watcher);
        }
        found
    }

    fn apply(&self, fleet: Fleet, watchers: &Watchers) {
        let shares = fleet.shares(self.role);
        for account in self.accounts.iter() {
            let watcher = watchers.get(account.name()).copied();
            let watcher = watcher.unwrap_or(Watcher::Nobody);
            let shares = fleet.shares_of_watched(self.role, watcher);
            let (queries, lists) = (&account.endpoint.query_limit, &account.endpoint.list_limit);
            queries.set_rate(shares::rate(queries.of_account(), shares.queries));
            lists.set_rate(shares::rate(lists.of_account(), shares.lists));
        }
        tracing::info!(
            query_workers = fleet.query,
            transfer_workers = fleet.transfer,
            share = shares.queries,
            "counted the workers that share the rate limits"
        );
    }

    async fn count(&self) -> Result<Fleet, String> {
        let transfers = names::transfers_task_queue(&self.task_queue);
        let count = async {
            let query = self.pollers(&self.task_queue).await?;
            Ok((query, self.pollers(&transfers).await?))
        };
        let counted = timeout(TIMEOUT, count).await;
        let (query, transfer) = counted
            .map_err(|_| format!("no response within {} s", TIMEOUT.as_secs()))?
            .map_err(|status: Status| error_text::innermost(&status))?;
        Ok(Fleet::count(&query, &transfer, &self.identity, self.role))
    }

    async fn pollers(&self, task_queue: &str) -> Result<Vec<Poller>, Status> {
        let pollers = pollers(&self.client, task_queue, TaskQueueType::Activity).await?;
        Ok(pollers.into_iter().filter_map(poller).collect())
    }
}

fn poller(info: PollerInfo) -> Option<Poller> {
    Some(Poller {
        identity: info.identity,
        last_poll: SystemTime::try_from(info.last_access_time?).ok()?,
    })
}
