//! Words of `VideoTaskLifecycleResult.reason`, beside the codes that upstream gives.

/// Cancelled upstream while it was queued, and deleted after the time that cancelled records are
/// kept.
pub const CANCELLED_AND_PURGED: &str = "cancelled_and_purged";
/// The service does not know the task, and no record of it was ever seen.
pub const TASK_NOT_FOUND: &str = "task_not_found";
/// The task was too old to be asked about when it was asked about first.
pub const OUTSIDE_QUERY_WINDOW: &str = "outside_query_window";
/// The service no longer knows a task that it had started.
pub const RECORD_VANISHED: &str = "record_vanished";
/// The task had not ended when it could no longer be asked about.
pub const QUERY_WINDOW_CLOSED: &str = "query_window_closed";
/// The task succeeded, and no URL of its video works any more.
pub const URL_EXPIRED: &str = "url_expired";
/// The task succeeded, and its URL was sealed with a key that no worker has any more.
pub const SEAL_KEY_MISSING: &str = "seal_key_missing";

/// The workflow was cancelled: not a verdict about the task.
pub const CANCELLED_BY_CALLER: &str = "cancelled_by_caller";

/// Somebody terminated the workflow: not a verdict about the task.
pub const TERMINATED: &str = "terminated";
/// The workflow was started with a timeout of its own, which is over: not a verdict about the task.
pub const TIMED_OUT: &str = "timed_out";

/// The reason that stands for a type of failure: `StoreUnavailable` is `store_unavailable`.
pub fn of_failure(failure_type: &str) -> String {
    let mut reason = String::new();
    for character in failure_type.chars() {
        if character.is_ascii_uppercase() && !reason.is_empty() {
            reason.push('_');
        }
        reason.push(character.to_ascii_lowercase());
    }
    reason
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::failure;

    #[test]
    fn failures_have_reasons() {
        assert_eq!(of_failure(failure::URL_EXPIRED), URL_EXPIRED);
        assert_eq!(of_failure(failure::TASK_NOT_FOUND), TASK_NOT_FOUND);
        assert_eq!(
            of_failure(failure::QUERY_WINDOW_CLOSED),
            QUERY_WINDOW_CLOSED
        );
        assert_eq!(of_failure(failure::RATE_LIMITED), "rate_limited");
    }
}
