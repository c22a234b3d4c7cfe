//! What a worker has learned about how long tasks take.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use parking_lot::Mutex;
use seedance_archiver_policy::completions::{CompletionTimes, Expectation, TaskKind};
use seedance_archiver_proto::{
    time::from_unix_seconds,
    v1::{self, VideoTask},
};

/// The completion times of each account's tasks. Clones share them.
#[derive(Clone, Debug, Default)]
pub(super) struct LearnedTimes(Arc<Mutex<BTreeMap<String, CompletionTimes>>>);

impl LearnedTimes {
    /// Returns when a task of an account is expected to end. `task`: its last record.
    pub(super) fn expectation(&self, account: &str, task: Option<&VideoTask>) -> Expectation {
        let kind = task.map(TaskKind::of);
        let mut accounts = self.0.lock();
        let times = accounts.get_mut(account);
        times.map_or_else(Expectation::default, |times| {
            times.expectation(kind.as_ref())
        })
    }

    /// Learns from a task that has ended.
    pub(super) fn observe(&self, account: &str, task: &VideoTask) {
        if let Some(after) = completed_after(task.created_at, task.updated_at) {
            let mut accounts = self.0.lock();
            let times = accounts.entry(account.to_owned()).or_default();
            times.observe(&TaskKind::of(task), after);
        }
    }

    /// Takes over what another worker has learned, unless this worker knows something of the account.
    pub(super) fn adopt(&self, account: &str, times: Option<&v1::CompletionTimes>) {
        let Some(times) = times else { return };
        let mut accounts = self.0.lock();
        if !accounts.contains_key(account) {
            let times = CompletionTimes::from_state(times.clone());
            accounts.insert(account.to_owned(), times);
        }
    }

    /// Returns what is known of an account, to be passed on.
    pub(super) fn state(&self, account: &str) -> Option<v1::CompletionTimes> {
        self.0.lock().get(account).map(CompletionTimes::state)
    }
}

/// Returns how long after its creation a task ended, by the times in its record, in Unix seconds.
pub(super) fn completed_after(created_at: i64, ended_at: i64) -> Option<Duration> {
    let created_at = from_unix_seconds(created_at)?;
    from_unix_seconds(ended_at)?.duration_since(created_at).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(seconds: i64) -> VideoTask {
        VideoTask {
            model: "seedance-1-0-pro".into(),
            created_at: 1_000_000,
            updated_at: 1_000_000 + seconds,
            ..VideoTask::default()
        }
    }

    #[test]
    fn a_worker_learns_from_ended_tasks_and_from_other_workers() {
        let times = LearnedTimes::default();
        assert!(!times.expectation("eu", None).is_informed());
        for seconds in 0..20 {
            times.observe("eu", &task(90 + seconds));
        }
        times.observe("eu", &task(-1));
        let first_poll = |times: &LearnedTimes| {
            let expectation = times.expectation("eu", Some(&task(0)));
            assert!(expectation.is_informed());
            expectation.next_poll(None).as_secs()
        };
        let first = first_poll(&times);
        assert!((60..110).contains(&first), "{first}");

        let other = LearnedTimes::default();
        other.adopt("eu", times.state("eu").as_ref());
        assert_eq!(first_poll(&other), first);
        assert!(!times.expectation("us", None).is_informed());
    }
}
