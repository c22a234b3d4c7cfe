//! When a failed transfer is retried, when it may skip the last frame, and why a video is lost.

mod history;
mod streaks;

use std::time::Duration;

pub use history::{Finding, History, Verdict};
pub use streaks::{Reached, Side, Streak, Streaks};

use crate::retry;

/// Delay after the first failure. It doubles, because every attempt may cost one of the 100 downloads
/// that a URL allows.
const INITIAL_DELAY: Duration = Duration::from_secs(10);
/// Maximum delay between two attempts.
const MAX_DELAY: Duration = Duration::from_secs(15 * 60);
/// Maximum delay between two attempts if no URL works. Each costs up to two queries, and no service is known to return a
/// fresh URL after it did not.
const MAX_URL_DELAY: Duration = Duration::from_secs(60 * 60);
/// The delay is at most this fraction of the time left, so that several attempts fit in before the archive
/// deadline.
const MIN_ATTEMPTS_LEFT: u32 = 20;
/// Number of attempts that could not fetch the last frame, after which a video is archived without it.
const MAX_LAST_FRAME_FAILURES: u32 = 5;

/// The time left for a transfer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TimeLeft {
    /// Until the archive deadline.
    pub until_deadline: Duration,
    /// Until the URL expires. If it has expired, until the archive deadline.
    pub until_expiry: Duration,
    /// Until the last query for a URL is sent, or repeated because it had no answer. `None`: it had one, or comes too late.
    pub until_last_query: Option<Duration>,
}

/// Returns the delay after the last of `failures` consecutive failures of a side.
///
/// `retry_after` is the delay that the service requested, zero if none. It can lengthen the delay, but some of the time
/// in which the URL works remains for the attempt: no service is known to return a fresh one for sure. An attempt always
/// follows when the last query for a URL is due, and soon if that had no answer.
pub fn retry_delay(side: Side, failures: u32, left: TimeLeft, retry_after: Duration) -> Duration {
    let TimeLeft {
        until_deadline,
        until_expiry,
        until_last_query,
    } = left;
    let max_delay = match side {
        Side::Url => MAX_URL_DELAY,
        Side::Host | Side::Store | Side::Api => MAX_DELAY,
    };
    let max_delay = (until_deadline / MIN_ATTEMPTS_LEFT).clamp(INITIAL_DELAY, max_delay);
    let max_requested = until_expiry - until_expiry / MIN_ATTEMPTS_LEFT;
    retry::exponential(INITIAL_DELAY, max_delay, failures)
        .max(retry_after.min(max_requested))
        .min(until_last_query.unwrap_or(until_deadline))
        .min(until_deadline)
}

/// Returns whether a video is archived without its last frame after this number of attempts that could not fetch the
/// frame.
pub fn may_skip_last_frame(failures: u32) -> bool {
    failures >= MAX_LAST_FRAME_FAILURES
}

#[cfg(test)]
mod tests {
    use super::*;

    const WEEK: Duration = Duration::from_secs(7 * 24 * 60 * 60);

    /// Returns the time left for a transfer whose URL works until the deadline.
    fn left(time: Duration) -> TimeLeft {
        TimeLeft {
            until_deadline: time,
            until_expiry: time,
            until_last_query: None,
        }
    }

    fn delay(failures: u32, time: Duration) -> u64 {
        retry_delay(Side::Host, failures, left(time), Duration::ZERO).as_secs()
    }

    #[test]
    fn the_delay_doubles_up_to_fifteen_minutes() {
        let delays = [1, 2, 3, 8, 100].map(|failures| delay(failures, WEEK));
        assert_eq!(delays, [10, 20, 40, 900, 900]);
    }

    #[test]
    fn a_video_without_a_working_url_is_tried_once_an_hour() {
        let delay = |time| retry_delay(Side::Url, 100, left(time), Duration::ZERO).as_secs();
        assert_eq!(delay(WEEK), 3_600);
        assert_eq!(delay(WEEK / 7 / 24), 180);
    }

    #[test]
    fn the_delay_gets_shorter_as_the_deadline_approaches() {
        let times = [36_000, 3_600, 600, 100, 1].map(Duration::from_secs);
        let delays = times.map(|time| delay(100, time));
        assert_eq!(delays, [900, 180, 30, 10, 1]);
    }

    #[test]
    fn retry_after_lengthens_the_delay_but_leaves_time_for_an_attempt() {
        let hour = Duration::from_secs(60 * 60);
        assert_eq!(retry_delay(Side::Host, 1, left(WEEK), hour), hour);
        for requested in [hour, WEEK] {
            let delay = retry_delay(Side::Api, 1, left(hour), requested);
            assert_eq!(delay, hour - hour / 20);
        }
    }

    #[test]
    fn retry_after_leaves_time_for_an_attempt_while_the_url_works() {
        let hour = Duration::from_secs(60 * 60);
        let dies_soon = TimeLeft {
            until_expiry: hour,
            ..left(WEEK)
        };
        assert_eq!(
            retry_delay(Side::Host, 1, dies_soon, 24 * hour),
            hour - hour / 20
        );
        assert_eq!(
            retry_delay(Side::Host, 100, dies_soon, Duration::ZERO),
            MAX_DELAY,
            "the usual delays are short enough"
        );
    }

    #[test]
    fn an_attempt_follows_when_the_last_query_is_due() {
        let minute = Duration::from_secs(60);
        let left = TimeLeft {
            until_last_query: Some(minute),
            ..left(WEEK)
        };
        for requested in [Duration::ZERO, WEEK] {
            assert_eq!(retry_delay(Side::Host, 100, left, requested), minute);
        }
        let first = retry_delay(Side::Host, 1, left, Duration::ZERO);
        assert_eq!(first, INITIAL_DELAY);
    }

    #[test]
    fn the_fifth_failure_may_skip_the_last_frame() {
        assert!(!may_skip_last_frame(4));
        assert!(may_skip_last_frame(5));
    }
}
