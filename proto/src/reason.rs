//! Values of `VideoTaskLifecycleResult.reason`, besides the error codes of the service.

/// The task was cancelled while it was queued, and its record was purged after the retention of cancelled records.
pub const CANCELLED_AND_PURGED: &str = "cancelled_and_purged";
/// The service returns 404 for a task, and never returned a record of it.
pub const TASK_NOT_FOUND: &str = "task_not_found";
/// The query window of the task was closed when it was polled for the first time.
pub const OUTSIDE_QUERY_WINDOW: &str = "outside_query_window";
/// The service returns 404 for a task that was running.
pub const RECORD_VANISHED: &str = "record_vanished";
/// The task was not terminal when its query window closed.
pub const QUERY_WINDOW_CLOSED: &str = "query_window_closed";
/// The task succeeded, but no URL of its video works any longer.
pub const URL_EXPIRED: &str = "url_expired";
/// The task succeeded, but no worker has the key that sealed its URL.
pub const SEAL_KEY_MISSING: &str = "seal_key_missing";

/// No worker served the account of the request until the deadline.
pub const UNKNOWN_ACCOUNT: &str = "unknown_account";
/// The request of the lifecycle was invalid.
pub const INVALID_REQUEST: &str = "invalid_request";

/// It is unknown whether the submission created a task, and which one. Only in the result of `GenerateVideo`.
pub const SUBMISSION_AMBIGUOUS: &str = "submission_ambiguous";

/// The archive holds a different video under the task's key.
pub const STORE_CONFLICT: &str = "store_conflict";

/// The task was erased from the archive, and nothing of it is archived again.
pub const ERASED: &str = "erased";

/// The workflow was cancelled. The status of the task is unknown.
pub const CANCELLED_BY_CALLER: &str = "cancelled_by_caller";

/// The workflow was terminated. The status of the task is unknown.
pub const TERMINATED: &str = "terminated";
/// The workflow reached its timeout. The status of the task is unknown.
pub const TIMED_OUT: &str = "timed_out";

/// Returns the reason for a failure type, e.g. `store_unavailable` for `StoreUnavailable`.
pub fn from_failure_type(failure_type: &str) -> String {
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
    fn a_failure_type_has_a_reason() {
        assert_eq!(from_failure_type(failure::URL_EXPIRED), URL_EXPIRED);
        assert_eq!(from_failure_type(failure::TASK_NOT_FOUND), TASK_NOT_FOUND);
        assert_eq!(
            from_failure_type(failure::QUERY_WINDOW_CLOSED),
            QUERY_WINDOW_CLOSED
        );
        assert_eq!(from_failure_type(failure::RATE_LIMITED), "rate_limited");
    }
}
