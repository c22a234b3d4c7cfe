//! A client-side rate limit.

use std::{sync::Arc, time::Duration};

use parking_lot::Mutex;
use tokio::time::{Instant, sleep_until};

const SECOND: Duration = Duration::from_secs(1);
/// Minimum and maximum time between two requests, so that any rate is usable.
const MIN_PERIOD: Duration = Duration::from_nanos(1);
const MAX_PERIOD: Duration = Duration::from_secs(24 * 60 * 60);

/// A limit on the rate of requests. Clones share the limit.
///
/// Requests get turns in the order in which they ask, spread over the second: a burst followed by a steady rate would
/// exceed the limit of a service that counts any second.
#[derive(Clone, Debug)]
pub struct RateLimit {
    /// Requests a second that the account is allowed.
    per_second: f64,
    /// Requests a second that this process may send: its share. Limits of the same rate have it in common.
    rate: Arc<Mutex<f64>>,
    /// Whether a second's worth of requests may be sent at once.
    allows_burst: bool,
    /// When the next request is due at the steady rate. `None` before the first one.
    next: Arc<Mutex<Option<Instant>>>,
}

impl RateLimit {
    /// Returns a limit of `per_second` requests a second, and no less than one a day.
    pub fn per_second(per_second: f64) -> Self {
        Self {
            per_second,
            rate: Arc::new(Mutex::new(per_second)),
            allows_burst: false,
            next: Arc::default(),
        }
    }

    /// Returns the limit that the public service sets an account for queries.
    pub fn public_queries() -> Self {
        Self::per_second(20.0)
    }

    /// Returns the limit that the public service sets an account for lists.
    pub fn public_lists() -> Self {
        Self::per_second(1.0)
    }

    /// Returns a separate limit of the same rate.
    pub fn separate(&self) -> Self {
        Self {
            next: Arc::default(),
            ..self.clone()
        }
    }

    /// Returns a separate limit of the same rate for requests that others send: a second's worth of them may arrive at
    /// once.
    pub fn for_received(&self) -> Self {
        Self {
            allows_burst: true,
            ..self.separate()
        }
    }

    /// Returns the requests a second that the account is allowed.
    pub fn of_account(&self) -> f64 {
        self.per_second
    }

    /// Sets the requests a second that this process may send, because others send requests for the account too.
    /// Requests that wait for their turn keep it.
    pub fn set_rate(&self, per_second: f64) {
        *self.rate.lock() = per_second;
    }

    /// Gives no turn for a time. Requests that wait for their turn keep it.
    pub fn pause(&self, time: Duration) {
        let end = Instant::now() + time;
        let mut next = self.next.lock();
        *next = Some(next.map_or(end, |next| next.max(end)));
    }

    /// Waits until a request is allowed.
    pub async fn wait(&self) {
        // Never refused.
        let _ = self.wait_up_to(Duration::MAX).await;
    }

    /// Takes a request if one is allowed now. Returns whether it did.
    pub fn try_take(&self) -> bool {
        self.take_turn(Duration::ZERO).is_some()
    }

    /// Waits until a request is allowed. Returns an error at once if that would take longer than `max_wait`.
    pub(crate) async fn wait_up_to(&self, max_wait: Duration) -> Result<(), String> {
        let Some(turn) = self.take_turn(max_wait) else {
            return Err(format!(
                "this worker's limit of {self} requests/s for the account is used up"
            ));
        };
        sleep_until(turn).await;
        Ok(())
    }

    /// Takes the next turn, unless it is later than `max_wait` from now. Returns when it is.
    fn take_turn(&self, max_wait: Duration) -> Option<Instant> {
        let period = self.period();
        let burst = match self.allows_burst {
            true => SECOND.saturating_sub(period),
            false => Duration::ZERO,
        };
        let now = Instant::now();
        let mut next = self.next.lock();
        let due = next.map_or(now, |next| next.max(now));
        let turn = due.checked_sub(burst).map_or(now, |turn| turn.max(now));
        if turn - now > max_wait {
            return None;
        }
        *next = Some(due + period);
        Some(turn)
    }

    fn period(&self) -> Duration {
        let period = Duration::try_from_secs_f64(self.rate.lock().recip());
        period.unwrap_or(MAX_PERIOD).clamp(MIN_PERIOD, MAX_PERIOD)
    }
}

impl std::fmt::Display for RateLimit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", *self.rate.lock())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns when each of `count` requests was sent, in virtual time.
    async fn send(limit: &RateLimit, count: usize) -> Vec<Instant> {
        let mut sent = Vec::new();
        for _ in 0..count {
            limit.wait().await;
            sent.push(Instant::now());
        }
        sent
    }

    /// Returns the shortest time in which `count` requests were sent.
    fn shortest(sent: &[Instant], count: usize) -> Duration {
        let spans = sent.windows(count).map(|sent| sent[count - 1] - sent[0]);
        spans.min().unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn no_second_has_more_requests_than_the_limit() {
        let sent = send(&RateLimit::per_second(20.0), 30).await;
        assert!(shortest(&sent, 21) >= SECOND);
        assert!(shortest(&sent, 30) < 2 * SECOND);
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_that_would_wait_too_long_is_refused_and_takes_no_turn() {
        let limit = RateLimit::per_second(1.0);
        assert!(limit.try_take());
        let turns = [limit.take_turn(SECOND), limit.clone().take_turn(SECOND)];
        assert!(turns[0].is_some() && turns[1].is_none(), "{turns:?}");
        let error = limit.wait_up_to(SECOND).await.unwrap_err();
        assert!(error.contains("1 requests/s"), "{error}");
        assert_eq!(limit.wait_up_to(2 * SECOND).await, Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_share_applies_to_all_limits_of_the_same_rate() {
        let limit = RateLimit::per_second(20.0);
        let separate = limit.separate();
        limit.clone().set_rate(5.0);
        assert_eq!(limit.of_account(), 20.0);
        for limit in [limit, separate] {
            assert!(shortest(&send(&limit, 12).await, 6) >= SECOND);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn no_request_passes_during_a_pause() {
        let limit = RateLimit::per_second(20.0);
        limit.pause(10 * SECOND);
        assert!(!limit.try_take());
        assert!(limit.wait_up_to(2 * SECOND).await.is_err());
        let start = Instant::now();
        limit.wait().await;
        assert!(Instant::now() - start >= 10 * SECOND);
    }

    #[tokio::test(start_paused = true)]
    async fn a_second_of_received_requests_may_arrive_at_once() {
        let limit = RateLimit::per_second(20.0).for_received();
        assert!((0..20).all(|_| limit.try_take()));
        assert!(!limit.try_take());
        assert!(RateLimit::per_second(0.1).for_received().try_take());
    }

    #[test]
    fn any_number_is_a_limit() {
        for per_second in [f64::MIN_POSITIVE, 1e-9, 0.5, 1.0, 1e12, f64::MAX] {
            let limit = RateLimit::per_second(per_second);
            assert!(limit.try_take(), "{per_second}");
        }
    }
}
