//! A client-side rate limit.

use std::{num::NonZeroU32, sync::Arc, time::Duration};

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};

/// This process's share of the requests that the service allows an account. Clones share the limit.
#[derive(Clone, Debug)]
pub struct RateLimit {
    per_second: f64,
    limiter: Arc<DefaultDirectRateLimiter>,
}

impl RateLimit {
    /// Returns a limit of `per_second` requests a second, and no less than one a day. The requests are spread over the
    /// second: a burst followed by a steady rate would exceed the limit of a service that counts any second.
    pub fn per_second(per_second: f64) -> Self {
        Self::new(per_second, NonZeroU32::MIN)
    }

    fn new(per_second: f64, burst: NonZeroU32) -> Self {
        let min_period = Duration::from_nanos(1);
        let max_period = Duration::from_secs(24 * 60 * 60);
        let period = Duration::try_from_secs_f64(per_second.recip()).unwrap_or(max_period);
        let quota = match Quota::with_period(period.clamp(min_period, max_period)) {
            Some(quota) => quota.allow_burst(burst),
            // Returned only for a period of zero, which `min_period` excludes.
            None => Quota::per_second(burst),
        };
        Self {
            per_second,
            limiter: Arc::new(RateLimiter::direct(quota)),
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
        Self::per_second(self.per_second)
    }

    /// Returns a separate limit of the same rate for requests that others send: a second's worth of them may arrive at
    /// once.
    pub fn for_received(&self) -> Self {
        let burst = NonZeroU32::new(self.per_second as u32);
        Self::new(self.per_second, burst.unwrap_or(NonZeroU32::MIN))
    }

    /// Waits until a request is allowed.
    pub async fn wait(&self) {
        self.limiter.until_ready().await;
    }

    /// Takes a request if one is allowed now. Returns whether it did.
    pub fn try_take(&self) -> bool {
        self.limiter.check().is_ok()
    }

    /// Waits until a request is allowed, but no longer than `max_wait`.
    pub(crate) async fn wait_up_to(&self, max_wait: Duration) -> Result<(), String> {
        tokio::time::timeout(max_wait, self.wait())
            .await
            .map_err(|_| {
                let per_second = self.per_second;
                format!("this worker's limit of {per_second} requests/s for the account is used up")
            })
    }
}

impl std::fmt::Display for RateLimit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.per_second)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_exhausted_limit_is_an_error() {
        let limit = RateLimit::per_second(0.01);
        let second = Duration::from_secs(1);
        assert_eq!(limit.wait_up_to(second).await, Ok(()));
        tokio::time::pause();
        let error = limit.clone().wait_up_to(second).await.unwrap_err();
        assert!(error.contains("0.01 requests/s"), "{error}");
    }

    #[tokio::test]
    async fn no_second_has_more_requests_than_the_limit() {
        let limit = RateLimit::per_second(20.0);
        let mut sent = Vec::new();
        for _ in 0..30 {
            limit.wait().await;
            sent.push(std::time::Instant::now());
        }
        // The limit counts real time, so a request can be late, but not early.
        let earliest = |requests: &[std::time::Instant]| requests[20] - requests[0];
        let shortest = sent.windows(21).map(earliest).min().unwrap();
        assert!(shortest >= Duration::from_millis(990), "{shortest:?}");
    }

    #[test]
    fn a_second_of_received_requests_may_arrive_at_once() {
        let limit = RateLimit::per_second(20.0).for_received();
        assert!((0..20).all(|_| limit.try_take()));
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
