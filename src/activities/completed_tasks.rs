//! Learns completion times from the lifecycles that completed last, where no watcher knows them: the account has no list, or
//! few tasks. So a worker that has just started knows what its predecessor knew, and workers learn from each other.
//!
//! The source is Temporal, which keeps the results of lifecycles anyway.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use parking_lot::Mutex;
use seedance_archiver_clock::Clock;
use temporalio_client::{Client, errors::ClientError};

use super::learned_times::LearnedTimes;
use crate::{
    telemetry::rare::RareEvent,
    temporal::{error_text, lifecycles},
};

/// Interval between two looks.
const INTERVAL: Duration = Duration::from_secs(10 * 60);
/// How long a look may delay the poll that caused it.
const TIMEOUT: Duration = Duration::from_secs(5);
/// How much later than a lifecycle completes the visibility store may show it.
const VISIBILITY_DELAY: Duration = Duration::from_secs(60);
/// How many lifecycles one look reads: as many completion times as are kept of a kind.
const MAX_READ: usize = 96;

/// The looks of a worker at completed lifecycles. Clones share them.
#[derive(Clone, Debug, Default)]
pub(super) struct CompletedTasks(Arc<Mutex<BTreeMap<String, LastLook>>>);

#[derive(Debug)]
struct LastLook {
    started_at: Instant,
    /// Lifecycles that closed before were read. `None`: none were.
    read_until: Option<SystemTime>,
    problem: RareEvent,
}

impl CompletedTasks {
    /// Learns from the lifecycles of an account that completed since the last look, unless that was a short time ago.
    pub(super) async fn learn(
        &self,
        client: &Client,
        account: &str,
        task_queue: &str,
        times: &LearnedTimes,
    ) {
        let Some(read_until) = self.begin(account) else {
            return;
        };
        let now = Clock::default().now();
        let look = look(client, account, task_queue, read_until, times);
        let problem = match tokio::time::timeout(TIMEOUT, look).await {
            Ok(Ok(())) => return self.succeeded(account, now),
            Ok(Err(error)) => error_text::innermost(&error),
            Err(_) => "no response in time".to_owned(),
        };
        self.failed(account, &problem);
    }

    /// Returns from when on lifecycles have to be read, if a look is due.
    fn begin(&self, account: &str) -> Option<Option<SystemTime>> {
        let mut accounts = self.0.lock();
        let Some(last) = accounts.get_mut(account) else {
            accounts.insert(account.to_owned(), LastLook::now());
            return Some(None);
        };
        let is_due = last.started_at.elapsed() >= INTERVAL;
        is_due.then(|| {
            last.started_at = Instant::now();
            last.read_until
        })
    }

    fn succeeded(&self, account: &str, started_at: SystemTime) {
        if let Some(last) = self.0.lock().get_mut(account) {
            last.read_until = started_at.checked_sub(VISIBILITY_DELAY);
        }
    }

    fn failed(&self, account: &str, problem: &str) {
        let mut accounts = self.0.lock();
        let is_due = accounts
            .get_mut(account)
            .is_some_and(|last| last.problem.is_due(problem));
        if is_due {
            tracing::warn!(
                account,
                error = problem,
                "cannot read how long the last tasks took; the poll schedule follows from those that this worker saw end"
            );
        }
    }
}

impl LastLook {
    fn now() -> Self {
        Self {
            started_at: Instant::now(),
            read_until: None,
            problem: RareEvent::default(),
        }
    }
}

async fn look(
    client: &Client,
    account: &str,
    task_queue: &str,
    closed_after: Option<SystemTime>,
    times: &LearnedTimes,
) -> Result<(), ClientError> {
    let completed =
        lifecycles::completed(client, account, task_queue, closed_after, MAX_READ).await?;
    let mut unknown: Vec<_> = completed
        .into_iter()
        .filter(|it| !times.has_observed(account, &it.task_id))
        .collect();
    // The last observations count most.
    unknown.reverse();
    for task in lifecycles::tasks(client, account, unknown).await {
        times.observe(account, &task);
    }
    Ok(())
}
