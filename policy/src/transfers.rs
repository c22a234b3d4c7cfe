//! When a failed transfer is retried, when it may skip the last frame, and why a video is lost.

mod history;

use std::time::Duration;

pub use history::{Finding, History, Verdict};

use crate::retry;

/// Delay before the second attempt. It doubles, because every attempt may cost one of the 100 downloads
/// that a URL allows.
const INITIAL_DELAY: Duration = Duration::from_secs(10);
/// Maximum delay between two attempts.
const MAX_DELAY: Duration = Duration::from_secs(15 * 60);
/// The delay is at most this fraction of the time left, so that several attempts fit in before the archive
/// deadline.
const MIN_ATTEMPTS_LEFT: u32 = 20;
/// Number of attempts after which a video is archived without its last frame.
const LAST_FRAME_ATTEMPTS: u32 = 5;

/// Returns the delay after the failure of `attempt`, counted from 1, if `left` is the time until the archive
/// deadline.
///
/// `retry_after` is the delay that the service requested, zero if none. It can lengthen the delay, but not
/// past the deadline.
pub fn retry_delay(attempt: u32, left: Duration, retry_after: Duration) -> Duration {
    let max_delay = (left / MIN_ATTEMPTS_LEFT).clamp(INITIAL_DELAY, MAX_DELAY);
    retry::exponential(INITIAL_DELAY, max_delay, attempt)
        .max(retry_after)
        .min(left)
}

/// Returns whether a video is archived without its last frame if the frame cannot be fetched in `attempt`.
pub fn may_skip_last_frame(attempt: u32) -> bool {
    attempt >= LAST_FRAME_ATTEMPTS
}

#[cfg(test)]
mod tests {
    use super::*;

    const WEEK: Duration = Duration::from_secs(7 * 24 * 60 * 60);

    fn delay(attempt: u32, left: Duration) -> u64 {
        retry_delay(attempt, left, Duration::ZERO).as_secs()
    }

    #[test]
    fn the_delay_doubles_up_to_fifteen_minutes() {
        let delays = [1, 2, 3, 8, 100].map(|attempt| delay(attempt, WEEK));
        assert_eq!(delays, [10, 20, 40, 900, 900]);
    }

    #[test]
    fn the_delay_gets_shorter_as_the_deadline_approaches() {
        let left = [36_000, 3_600, 600, 100, 1].map(Duration::from_secs);
        let delays = left.map(|left| delay(100, left));
        assert_eq!(delays, [900, 180, 30, 10, 1]);
    }

    #[test]
    fn retry_after_lengthens_the_delay_up_to_the_deadline() {
        let hour = Duration::from_secs(60 * 60);
        assert_eq!(retry_delay(1, WEEK, hour), hour);
        assert_eq!(retry_delay(1, hour, WEEK), hour);
    }

    #[test]
    fn the_fifth_attempt_may_skip_the_last_frame() {
        assert!(!may_skip_last_frame(4));
        assert!(may_skip_last_frame(5));
    }
}
