//! When the delivery of an event to a webhook is retried, and when it is given up.

use std::time::Duration;

use crate::retry;

/// Delay after the first failed attempt. It doubles with each attempt.
const INITIAL_DELAY: Duration = Duration::from_secs(1);
/// Maximum delay between two attempts, unless the receiver requests a longer one.
const MAX_DELAY: Duration = Duration::from_secs(60 * 60);
/// Maximum delay of an attempt that found no free slot.
const MAX_SLOT_DELAY: Duration = Duration::from_secs(5 * 60);
/// How long an event is delivered, and waits for a worker whose account has a webhook.
pub const DELIVERY_TIME: Duration = Duration::from_secs(3 * 24 * 60 * 60);

/// What the response of a receiver means.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Response {
    /// The receiver has the event.
    Delivered,
    /// The receiver wants no more of this event.
    Gone,
    /// The receiver may accept the event later. So may one that rejects the request, once its configuration or that of the
    /// account is corrected.
    NotYet,
}

/// Returns what the HTTP status of a response means.
pub fn response(status: u16) -> Response {
    match status {
        200..=299 => Response::Delivered,
        410 => Response::Gone,
        _ => Response::NotYet,
    }
}

/// What follows a failed attempt.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Next {
    /// Another attempt after this delay.
    RetryAfter(Duration),
    /// No further attempt: the time for the delivery has passed.
    GiveUp,
}

/// Returns what follows the failure of `attempt`, counted from 1. `retry_after` is the delay that the receiver requested,
/// zero if none; `waited` is the time since the first attempt was due. The last attempt is at the end of [`DELIVERY_TIME`].
pub fn next(attempt: u32, retry_after: Duration, waited: Duration) -> Next {
    match DELIVERY_TIME.saturating_sub(waited) {
        Duration::ZERO => Next::GiveUp,
        left => Next::RetryAfter(
            retry::exponential(INITIAL_DELAY, MAX_DELAY, attempt)
                .max(retry_after)
                .min(left),
        ),
    }
}

/// Returns the delay after `attempt`, counted from 1, which found that the worker delivers as many events as it may.
pub fn slot_delay(attempt: u32) -> Duration {
    retry::exponential(INITIAL_DELAY, MAX_SLOT_DELAY, attempt)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: Duration = Duration::ZERO;
    const HOUR: Duration = Duration::from_secs(60 * 60);

    #[test]
    fn only_an_accepted_event_is_delivered() {
        for status in [200, 202, 204, 299] {
            assert_eq!(response(status), Response::Delivered, "{status}");
        }
        assert_eq!(response(410), Response::Gone);
        for status in [100, 301, 302, 307, 400, 401, 404, 409, 411, 429, 500, 503] {
            assert_eq!(response(status), Response::NotYet, "{status}");
        }
    }

    #[test]
    fn the_delay_doubles_up_to_an_hour() {
        let delays = [1, 2, 3, 12, 13, 80].map(|attempt| next(attempt, NONE, NONE));
        let expected = [1, 2, 4, 2_048, 3_600, 3_600];
        assert_eq!(
            delays,
            expected.map(|delay| Next::RetryAfter(Duration::from_secs(delay)))
        );
    }

    #[test]
    fn the_receiver_can_request_a_longer_delay_but_no_shorter_one() {
        let delay = |attempt, retry_after| next(attempt, retry_after, NONE);
        assert_eq!(delay(1, 5 * HOUR), Next::RetryAfter(5 * HOUR));
        assert_eq!(delay(80, HOUR / 60), Next::RetryAfter(HOUR));
    }

    #[test]
    fn the_last_attempt_is_at_the_end_of_the_time() {
        let after = |waited| next(80, 24 * HOUR, waited);
        assert_eq!(after(71 * HOUR), Next::RetryAfter(HOUR));
        assert_eq!(after(72 * HOUR), Next::GiveUp);
        assert_eq!(after(100 * HOUR), Next::GiveUp);
    }

    #[test]
    fn an_attempt_without_a_slot_is_repeated_within_minutes() {
        let delays = [1, 4, 100].map(slot_delay);
        assert_eq!(delays, [1, 8, 300].map(Duration::from_secs));
    }
}
