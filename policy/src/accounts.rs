//! How long a request waits for a worker that serves its account.
//!
//! A worker that does not serve an account cannot know whether another one does. During a rollout, old and new workers
//! poll the same task queue, so an unknown account is never an invalid request.

use std::time::{Duration, SystemTime};

use crate::{retry, windows::Windows};

/// Delay before the second attempt. It doubles, because an attempt costs nothing but its place in the task queue.
const INITIAL_DELAY: Duration = Duration::from_secs(2);
/// Maximum delay between two attempts.
const MAX_DELAY: Duration = Duration::from_secs(60);

/// How long a rollout may take.
const MAX_ROLLOUT: Duration = Duration::from_secs(15 * 60);

/// Returns the delay after `attempt`, counted from 1, or `None` if the deadline passed. The last attempt is at the
/// deadline. Without a deadline, attempts never end.
pub fn retry_delay(
    attempt: u32,
    deadline: Option<SystemTime>,
    now: SystemTime,
) -> Option<Duration> {
    let delay = retry::exponential(INITIAL_DELAY, MAX_DELAY, attempt);
    match deadline.map(|deadline| deadline.duration_since(now).unwrap_or_default()) {
        None => Some(delay),
        Some(Duration::ZERO) => None,
        Some(left) => Some(delay.min(left)),
    }
}

/// Returns when nobody waits any longer for a worker that can query a task. `known` is the archive deadline in its last
/// record, which came from a worker that serves the account.
///
/// Such a worker decides first. The windows of an unknown account are unknown too: without a record, the default window counts
/// from the first attempt, however old the task is, because that of the account may be longer.
pub fn query_deadline(
    first_attempt_at: SystemTime,
    known: Option<SystemTime>,
) -> Option<SystemTime> {
    match known {
        Some(known) => known.checked_add(MAX_ROLLOUT),
        None => Windows::default().archive_deadline(first_attempt_at, None),
    }
}

/// Returns when nobody waits any longer for a worker that can fetch a video. `known` is the archive deadline of its task.
pub fn archive_deadline(
    first_attempt_at: SystemTime,
    known: Option<SystemTime>,
) -> Option<SystemTime> {
    match known {
        Some(known) => known.checked_add(MAX_ROLLOUT),
        None => first_attempt_at.checked_add(Windows::default().url_lifetime),
    }
}

/// Returns when a sweep ends that no worker can run. The next one repeats it, so nothing is lost.
pub fn sweep_deadline(first_attempt_at: SystemTime) -> Option<SystemTime> {
    first_attempt_at.checked_add(MAX_ROLLOUT)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_secs(24 * 60 * 60);
    const START: SystemTime = SystemTime::UNIX_EPOCH;

    #[test]
    fn an_unknown_account_is_retried_until_the_deadline() {
        let seconds = Duration::from_secs;
        let deadline = query_deadline(START, None);
        let delay = |attempt, now| retry_delay(attempt, deadline, START + now);
        assert_eq!(delay(1, seconds(0)), Some(seconds(2)));
        assert_eq!(delay(3, seconds(0)), Some(seconds(8)));
        assert_eq!(delay(u32::MAX, 6 * DAY), Some(seconds(60)));
        let last_poll = 7 * DAY - Windows::default().margin;
        assert_eq!(delay(100, last_poll - seconds(5)), Some(seconds(5)));
        assert_eq!(delay(100, last_poll), None);
        assert_eq!(delay(100, 8 * DAY), None);
    }

    #[test]
    fn a_video_is_waited_for_while_its_url_may_work() {
        assert_eq!(archive_deadline(START, None), Some(START + 14 * DAY));
    }

    /// The account may be served by other workers, whose verdict says more.
    #[test]
    fn at_a_known_deadline_a_worker_that_serves_the_account_decides_first() {
        let known = START + 30 * DAY;
        for deadline in [
            query_deadline(START, Some(known)),
            archive_deadline(START, Some(known)),
        ] {
            let delay = |now| retry_delay(100, deadline, now);
            assert_eq!(delay(START + 8 * DAY), Some(MAX_DELAY));
            assert_eq!(delay(known), Some(MAX_DELAY));
            assert_eq!(delay(known + MAX_ROLLOUT), None);
        }
    }

    #[test]
    fn a_sweep_waits_for_a_rollout() {
        let rollout = Duration::from_secs(15 * 60);
        assert_eq!(sweep_deadline(START), Some(START + rollout));
    }

    #[test]
    fn without_a_deadline_attempts_never_end() {
        assert_eq!(retry_delay(100, None, START + 1_000 * DAY), Some(MAX_DELAY));
    }
}
