//! What a worker has learned about how long tasks take.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use parking_lot::Mutex;
use seedance_archiver_policy::completions::{
    CompletionTimes, Expectation, TaskKind, completed_after,
};
use seedance_archiver_proto::{
    status,
    v1::{self, VideoTask},
};

/// How many ids of observed tasks are kept of an account: more than are read of completed lifecycles at once.
const MAX_TASK_IDS: usize = 1_000;

/// The completion times of each account's tasks. Clones share them.
#[derive(Clone, Debug, Default)]
pub(super) struct LearnedTimes(Arc<Mutex<BTreeMap<String, Learned>>>);

#[derive(Debug, Default)]
struct Learned {
    times: CompletionTimes,
    /// Ids of the tasks that were observed last, oldest first.
    task_ids: VecDeque<String>,
}

impl LearnedTimes {
    /// Returns when a task of an account is expected to end. `task`: its last record.
    pub(super) fn expectation(&self, account: &str, task: Option<&VideoTask>) -> Expectation {
        let kind = task.map(TaskKind::of);
        let mut accounts = self.0.lock();
        let learned = accounts.get_mut(account);
        learned.map_or_else(Expectation::default, |learned| {
            learned.times.expectation(kind.as_ref())
        })
    }

    /// Learns from the last record of a task. Records of tasks that have not ended, and of tasks that were observed before,
    /// change nothing.
    pub(super) fn observe(&self, account: &str, task: &VideoTask) {
        if !status::is_terminal(&task.status) {
            return;
        }
        if let Some(after) = completed_after(task.created_at, task.updated_at) {
            let mut accounts = self.0.lock();
            let learned = accounts.entry(account.to_owned()).or_default();
            learned.observe(task, after);
        }
    }

    /// Returns whether a task is among those that were observed last.
    pub(super) fn has_observed(&self, account: &str, task_id: &str) -> bool {
        let accounts = self.0.lock();
        let learned = accounts.get(account);
        learned.is_some_and(|learned| learned.includes(task_id))
    }

    /// Takes over what another worker has learned, unless this worker knows something of the account. Returns whether it did.
    pub(super) fn adopt(&self, account: &str, times: Option<&v1::CompletionTimes>) -> bool {
        let Some(times) = times else { return false };
        let mut accounts = self.0.lock();
        let is_new = !accounts.contains_key(account);
        if is_new {
            let learned = Learned {
                times: CompletionTimes::from_state(times.clone()),
                task_ids: VecDeque::new(),
            };
            accounts.insert(account.to_owned(), learned);
        }
        is_new
    }

    /// Returns what is known of an account, to be passed on.
    pub(super) fn state(&self, account: &str) -> Option<v1::CompletionTimes> {
        let accounts = self.0.lock();
        accounts.get(account).map(|learned| learned.times.state())
    }
}

impl Learned {
    fn observe(&mut self, task: &VideoTask, after: Duration) {
        if self.includes(&task.id) {
            return;
        }
        self.times.observe(&TaskKind::of(task), after);
        if self.task_ids.len() == MAX_TASK_IDS {
            self.task_ids.pop_front();
        }
        self.task_ids.push_back(task.id.clone());
    }

    fn includes(&self, task_id: &str) -> bool {
        self.task_ids.iter().any(|id| id == task_id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(seconds: i64) -> VideoTask {
        VideoTask {
            id: format!("cgt-{seconds}"),
            model: "seedance-1-0-pro".into(),
            status: status::SUCCEEDED.to_owned(),
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
        assert!(other.adopt("eu", times.state("eu").as_ref()));
        assert!(!other.adopt("eu", times.state("eu").as_ref()), "known");
        assert_eq!(first_poll(&other), first);
        assert!(!times.expectation("us", None).is_informed());
    }

    /// The lifecycle of a task that still runs completes too, for example if its caller cancels it.
    #[test]
    fn a_task_that_has_not_ended_does_not_count() {
        let times = LearnedTimes::default();
        for seconds in 0..20 {
            let status = status::RUNNING.to_owned();
            let running = VideoTask {
                status,
                ..task(seconds)
            };
            times.observe("eu", &running);
        }
        assert!(!times.expectation("eu", None).is_informed());
    }

    #[test]
    fn a_task_that_is_seen_twice_counts_once() {
        let times = LearnedTimes::default();
        for _ in 0..20 {
            times.observe("eu", &task(90));
        }
        assert!(times.has_observed("eu", "cgt-90") && !times.has_observed("us", "cgt-90"));
        assert!(!times.expectation("eu", None).is_informed());

        for seconds in 0..MAX_TASK_IDS {
            times.observe(
                "eu",
                &task(100 + i64::try_from(seconds).unwrap_or_default()),
            );
        }
        assert!(
            !times.has_observed("eu", "cgt-90"),
            "the oldest ids are forgotten"
        );
    }
}
