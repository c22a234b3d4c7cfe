//! Learns completion times from the lifecycles that completed last, where no watcher knows them: the account has no list, or
//! few tasks. So a worker that has just started knows what its predecessor knew, and workers learn from each other.
//!
//! The source is Temporal, which keeps the results of lifecycles anyway.

use std::{
    collections::BTreeMap,
    pin::pin,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use futures::StreamExt;
use parking_lot::Mutex;
use seedance_archiver_clock::Clock;
use temporalio_client::{Client, errors::ClientError};
use tokio::sync::Semaphore;

use super::learned_times::LearnedTimes;
use crate::{
    telemetry::rare::RareEvent,
    temporal::{error_text, lifecycles},
};

/// Interval between two readings.
const INTERVAL: Duration = Duration::from_secs(10 * 60);
/// How long a poll waits for a reading, which then continues without it.
const MAX_WAIT: Duration = Duration::from_secs(5);
/// How much later than a lifecycle completes the visibility store may show it.
const VISIBILITY_DELAY: Duration = Duration::from_secs(60);
/// How many results are read at once: as many as completion times are kept of a kind.
const MAX_READ: usize = 96;

/// What this worker has read of completed lifecycles, by account. Clones share it.
#[derive(Clone, Debug)]
pub(super) struct CompletedTasks {
    readings: Arc<Mutex<BTreeMap<String, Reading>>>,
    /// One account is read at a time: after a start the readings of all are due, which would be a burst of requests to
    /// Temporal.
    turn: Arc<Semaphore>,
}

#[derive(Debug)]
struct Reading {
    started_at: Instant,
    /// The last lifecycles that closed before were read. `None`: none were.
    read_until: Option<SystemTime>,
    problem: RareEvent,
}

impl Default for CompletedTasks {
    fn default() -> Self {
        Self {
            readings: Arc::default(),
            turn: Arc::new(Semaphore::new(1)),
        }
    }
}

impl CompletedTasks {
    /// Learns from the lifecycles of an account that completed since the last reading, unless that was a short time ago.
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
        let (readings, client, times) = (self.clone(), client.clone(), times.clone());
        let (account, task_queue) = (account.to_owned(), task_queue.to_owned());
        let reading = tokio::spawn(async move {
            let _turn = readings.turn.acquire().await;
            match read(&client, &account, &task_queue, read_until, &times).await {
                Ok(read_until) => readings.succeeded(&account, read_until),
                Err(error) => readings.failed(&account, &error_text::innermost(&error)),
            }
        });
        // It goes on, and the next polls know more.
        let _ = tokio::time::timeout(MAX_WAIT, reading).await;
    }

    /// Leaves out the lifecycles that have completed by now, because their times are known already.
    pub(super) fn skip_earlier(&self, account: &str) {
        let read_until = Clock::default().now().checked_sub(VISIBILITY_DELAY);
        let mut readings = self.readings.lock();
        readings.insert(account.to_owned(), Reading::now(read_until));
    }

    /// Returns from when on lifecycles have to be read, if a reading is due.
    fn begin(&self, account: &str) -> Option<Option<SystemTime>> {
        let mut readings = self.readings.lock();
        let Some(last) = readings.get_mut(account) else {
            readings.insert(account.to_owned(), Reading::now(None));
            return Some(None);
        };
        let is_due = last.started_at.elapsed() >= INTERVAL;
        is_due.then(|| {
            last.started_at = Instant::now();
            last.read_until
        })
    }

    fn succeeded(&self, account: &str, read_until: Option<SystemTime>) {
        if let Some(last) = self.readings.lock().get_mut(account) {
            last.read_until = read_until.or(last.read_until);
        }
    }

    fn failed(&self, account: &str, problem: &str) {
        let mut readings = self.readings.lock();
        let is_due = readings
            .get_mut(account)
            .is_some_and(|last| last.problem.is_due(problem));
        if is_due {
            tracing::warn!(
                account,
                error = problem,
                "cannot read completed lifecycles; poll schedules follow from the tasks that this worker polled"
            );
        }
    }
}

impl Reading {
    fn now(read_until: Option<SystemTime>) -> Self {
        Self {
            started_at: Instant::now(),
            read_until,
            problem: RareEvent::default(),
        }
    }
}

/// Learns from each result as soon as it is read. Returns until when all are read, by the server's clock. `None`: some could
/// not be read, or there were none.
async fn read(
    client: &Client,
    account: &str,
    task_queue: &str,
    closed_after: Option<SystemTime>,
    times: &LearnedTimes,
) -> Result<Option<SystemTime>, ClientError> {
    let completed =
        lifecycles::completed(client, account, task_queue, closed_after, MAX_READ).await?;
    let last = completed.iter().filter_map(|it| it.closed_at).max();
    let mut unknown: Vec<_> = completed
        .into_iter()
        .filter(|it| !times.has_observed(account, &it.task_id))
        .collect();
    // The last observations count most.
    unknown.reverse();
    let mut all_were_read = true;
    let mut results = pin!(lifecycles::results(client, account, unknown));
    while let Some(result) = results.next().await {
        match result {
            Ok(result) => result.task.iter().for_each(|it| times.observe(account, it)),
            Err(_) => all_were_read = false,
        }
    }
    Ok(last
        .filter(|_| all_were_read)
        .and_then(|last| last.checked_sub(VISIBILITY_DELAY)))
}
