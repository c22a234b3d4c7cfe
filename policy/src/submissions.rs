//! Submissions: whether a create request may be sent again, and which listed task an unanswered one created.
//!
//! The API has no idempotency key, and every task is billed. So a request is sent again only if it is certain that the
//! earlier one created nothing, and a listed task is that of a submission only if no other one can be.

mod answer;
mod search;

use std::time::Duration;

pub use answer::{Answer, Effect, Meaning, Response, effect};
pub use search::{Candidate, Claim, Decision, Look, Search, decide};

use crate::retry;

/// How long after its beginning a submission may still send its request. A worker that was suspended for longer sends
/// nothing, because the task would be looked for among those that were created earlier.
const SEND_TIMEOUT: Duration = Duration::from_secs(10);
/// Delay before a request that created nothing is sent again. It doubles with each attempt.
const INITIAL_DELAY: Duration = Duration::from_secs(2);
/// Maximum delay, unless the service requests a longer one.
const MAX_DELAY: Duration = Duration::from_secs(60);
/// Maximum delay that the service can request.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(15 * 60);

/// Returns whether a request may be sent `since_begin` after the submission began, by each of these clocks. One clock
/// alone may have been stopped or set.
pub fn may_send(since_begin: [Duration; 2]) -> bool {
    since_begin.into_iter().all(|since| since <= SEND_TIMEOUT)
}

/// Returns the delay after an `attempt`, counted from 1, whose request created nothing. `retry_after` is the delay that
/// the service requested, zero if none.
pub fn retry_delay(attempt: u32, retry_after: Duration) -> Duration {
    retry::exponential(INITIAL_DELAY, MAX_DELAY, attempt).max(retry_after.min(MAX_RETRY_AFTER))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_request_is_sent_only_if_both_clocks_say_that_it_is_early_enough() {
        assert!(may_send([SEND_TIMEOUT; 2]));
        assert!(!may_send([SEND_TIMEOUT + SECOND, SECOND]));
        assert!(!may_send([SECOND, SEND_TIMEOUT + SECOND]));
    }

    #[test]
    fn the_service_can_delay_the_next_attempt_by_fifteen_minutes() {
        let delay = |attempt, seconds| retry_delay(attempt, seconds * SECOND).as_secs();
        assert_eq!([delay(1, 0), delay(3, 0), delay(30, 0)], [2, 8, 60]);
        assert_eq!([delay(1, 1), delay(1, 30), delay(1, 86_400)], [2, 30, 900]);
    }
}
