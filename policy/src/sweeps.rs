//! When a sweep retries, gives up on a page or a task, and restarts a lifecycle.

use std::time::{Duration, SystemTime};

use seedance_archiver_proto::{
    outcome,
    reason::{CANCELLED_BY_CALLER, STORE_CONFLICT},
    status,
};

use crate::retry;

/// Delay before the second attempt at a page. It doubles with each attempt.
const INITIAL_DELAY: Duration = Duration::from_secs(2);
/// Maximum delay between two attempts, unless the service requests a longer one.
const MAX_DELAY: Duration = Duration::from_secs(60);
/// Maximum delay that the service can request.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(15 * 60);
/// Maximum number of attempts at a page with an unreadable response, or at a task that fails.
const MAX_ATTEMPTS: u32 = 6;
/// How long an ended lifecycle is not restarted. The lifecycle of an unknown task leaves no record in
/// the archive, so every sweep would restart it.
const RESTART_DELAY: Duration = Duration::from_secs(60 * 60);

/// Returns the delay after the failure of `attempt`, counted from 1. `retry_after` is the delay that the
/// service requested, zero if none.
pub fn retry_delay(attempt: u32, retry_after: Duration) -> Duration {
    retry::exponential(INITIAL_DELAY, MAX_DELAY, attempt).max(retry_after.min(MAX_RETRY_AFTER))
}

/// Returns whether `attempt` is the last one for a page or task that may never succeed. The sweep then
/// continues without it, and the next sweep tries again.
pub fn is_last_attempt(attempt: u32) -> bool {
    attempt >= MAX_ATTEMPTS
}

/// Returns whether to restart a lifecycle that ended at `ended_at` and left no record in the archive. An end
/// after `now`, due to clock skew, counts as recent.
pub fn may_restart(ended_at: SystemTime, now: SystemTime) -> bool {
    now.duration_since(ended_at).unwrap_or_default() >= RESTART_DELAY
}

/// Returns whether a task needs no further lifecycle because of its `outcome.json`. `listed_status` is its status in the
/// list.
///
/// The list outranks an outcome that was wrong or early: a task that is listed is not `unknown`, and one that is listed
/// as succeeded is not `unsuccessful`. What a person has to decide, or decided, stays.
pub fn is_settled(outcome: &str, reason: &str, listed_status: &str) -> bool {
    match (outcome, reason) {
        (_, STORE_CONFLICT | CANCELLED_BY_CALLER) => true,
        (outcome::UNSUCCESSFUL, _) => listed_status != status::SUCCEEDED,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_delay_doubles_up_to_a_minute() {
        let delays = [1, 2, 3, 6, 100].map(|attempt| retry_delay(attempt, Duration::ZERO));
        assert_eq!(delays, [2, 4, 8, 60, 60].map(Duration::from_secs));
    }

    #[test]
    fn the_service_can_request_a_delay_of_up_to_fifteen_minutes() {
        let delays = [1, 30, 86_400].map(|seconds| retry_delay(1, Duration::from_secs(seconds)));
        assert_eq!(delays, [2, 30, 900].map(Duration::from_secs));
    }

    #[test]
    fn the_sixth_attempt_is_the_last() {
        assert!(!is_last_attempt(5));
        assert!(is_last_attempt(6));
    }

    #[test]
    fn the_list_outranks_an_outcome_that_was_wrong() {
        for (outcome, reason, listed, expected) in [
            ("unsuccessful", "failed", "failed", true),
            ("unsuccessful", "cancelled_and_purged", "cancelled", true),
            ("unsuccessful", "cancelled_and_purged", "succeeded", false),
            ("unknown", "task_not_found", "succeeded", false),
            ("unknown", "task_not_found", "running", false),
            ("unknown", "unknown_account", "succeeded", false),
            ("lost", "url_expired", "succeeded", false),
            ("lost", "record_vanished", "failed", false),
            ("unknown", "store_conflict", "succeeded", true),
            ("unknown", "cancelled_by_caller", "succeeded", true),
            ("", "", "succeeded", false),
        ] {
            let settled = is_settled(outcome, reason, listed);
            assert_eq!(settled, expected, "{outcome} {reason} {listed}");
        }
    }

    #[test]
    fn a_lifecycle_is_restarted_an_hour_after_its_end() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
        let second = Duration::from_secs(1);
        let hour = Duration::from_secs(3_600);
        assert!(may_restart(now - hour, now));
        assert!(!may_restart(now - hour + second, now));
        assert!(!may_restart(now + second, now));
        assert!(may_restart(SystemTime::UNIX_EPOCH, now));
    }
}
