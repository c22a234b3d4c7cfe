//! Whether the API answers a kind of request: `ApiHealth`.

use std::time::Duration;

use seedance_archiver_policy::retry;

use crate::{service::ApiError, time::whole};

const INITIAL_DELAY: Duration = Duration::from_secs(1);
const MAX_DELAY: Duration = Duration::from_secs(30);
const MAX_RETRY_AFTER: Duration = Duration::from_secs(15 * 60);

#[derive(Clone, Debug, Default)]
pub(super) struct Health {
    failures: u32,
    failed_task: Option<String>,
    is_general: bool,
    retry_at: u64,
}

impl Health {
    pub(super) fn is_available(&self, now: u64) -> bool {
        self.retry_at <= now
    }

    pub(super) fn answered(&mut self) {
        *self = Self::default();
    }

    pub(super) fn throttled(&mut self, now: u64) {
        self.retry_at = now + 1;
    }

    pub(super) fn query_failed(&mut self, task_id: &str, error: &ApiError, now: u64) {
        let first = self.failed_task.get_or_insert_with(|| task_id.to_owned());
        self.is_general |= first.as_str() != task_id;
        match self.is_general {
            true => self.failed(error, now),
            false => self.retry_at = now + whole(INITIAL_DELAY),
        }
    }

    pub(super) fn failed(&mut self, error: &ApiError, now: u64) {
        self.failures = self.failures.saturating_add(1);
        let requested = error.retry_after.unwrap_or_default().min(MAX_RETRY_AFTER);
        let delay = retry::exponential(INITIAL_DELAY, MAX_DELAY, self.failures).max(requested);
        self.retry_at = now + whole(delay);
    }
}
