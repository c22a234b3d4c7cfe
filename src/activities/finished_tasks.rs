//! A cache of the tasks that have a receipt, an `outcome.json` or a tombstone. It saves sweeps up to three requests to the
//! store for each of these tasks.

use std::time::Duration;

use moka::sync::Cache;

/// Maximum number of cached tasks.
const MAX_TASKS: u64 = 100_000;
/// TTL of a cached task. Its record may be deleted from the archive meanwhile.
const TTL: Duration = Duration::from_secs(60 * 60);

/// The record of a finished task in the archive.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Ending {
    /// The archive has a receipt.
    Archived,
    /// The archive has an `outcome.json`, or a tombstone.
    NotArchived,
}

/// The finished tasks, by receipt URL. Clones share the cache.
#[derive(Clone)]
pub(super) struct FinishedTasks(Cache<String, Ending>);

impl Default for FinishedTasks {
    fn default() -> Self {
        Self::new(MAX_TASKS)
    }
}

impl FinishedTasks {
    fn new(max_tasks: u64) -> Self {
        let cache = Cache::builder()
            .max_capacity(max_tasks)
            .time_to_live(TTL)
            .build();
        Self(cache)
    }

    pub(super) fn get(&self, receipt_url: &str) -> Option<Ending> {
        self.0.get(receipt_url)
    }

    pub(super) fn insert(&self, receipt_url: String, ending: Ending) {
        self.0.insert(receipt_url, ending);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cache_is_bounded() {
        let tasks = FinishedTasks::new(10);
        for number in 0..=10 {
            tasks.insert(number.to_string(), Ending::Archived);
        }
        tasks.0.run_pending_tasks();
        assert_eq!(tasks.0.entry_count(), 10);
        let policy = FinishedTasks::default().0.policy();
        assert_eq!(policy.max_capacity(), Some(MAX_TASKS));
    }

    /// By its age, and not by the time since it was last read.
    #[test]
    fn a_task_expires_after_its_ttl_although_it_is_read() {
        let policy = FinishedTasks::default().0.policy();
        assert_eq!(policy.time_to_live(), Some(TTL));
        assert_eq!(policy.time_to_idle(), None);
    }
}
