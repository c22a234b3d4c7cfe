//! How often one account may be asked.

use std::{num::NonZeroU32, sync::Arc, time::Duration};

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};

/// This worker's share of the requests that the service allows an account. Clones share it.
#[derive(Clone, Debug)]
pub struct Budget {
    per_second: f64,
    limiter: Arc<DefaultDirectRateLimiter>,
}

impl Budget {
    /// So many requests a second, which is at least one a day.
    pub fn per_second(per_second: f64) -> Self {
        let shortest = Duration::from_nanos(1);
        let longest = Duration::from_secs(24 * 60 * 60);
        let period = Duration::try_from_secs_f64(per_second.recip()).unwrap_or(longest);
        let burst = NonZeroU32::new(per_second as u32).unwrap_or(NonZeroU32::MIN);
        let quota = match Quota::with_period(period.clamp(shortest, longest)) {
            Some(quota) => quota.allow_burst(burst),
            // Only for a period of 0, which the bounds exclude.
            None => Quota::per_second(burst),
        };
        Self {
            per_second,
            limiter: Arc::new(RateLimiter::direct(quota)),
        }
    }

    /// Waits for a turn, but no longer than that. The error says that there is none soon.
    pub(super) async fn turn(&self, longest: Duration) -> Result<(), String> {
        tokio::time::timeout(longest, self.limiter.until_ready())
            .await
            .map_err(|_| {
                format!(
                    "this worker's {} requests a second for the account are used up",
                    self.per_second
                )
            })
    }

    /// What the public service allows an account of lists.
    pub fn of_lists() -> Self {
        Self::per_second(1.0)
    }

    /// One of the same size for something else.
    pub(crate) fn fresh(&self) -> Self {
        Self::per_second(self.per_second)
    }

    /// Waits for a turn, for as long as it takes.
    pub(crate) async fn wait(&self) {
        self.limiter.until_ready().await;
    }

    /// Whether there is a turn right now.
    pub(crate) fn has_turn(&self) -> bool {
        self.limiter.check().is_ok()
    }
}

impl std::fmt::Display for Budget {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.per_second)
    }
}

impl Default for Budget {
    /// What the public service allows an account.
    fn default() -> Self {
        Self::per_second(20.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_share_that_is_used_up_is_told() {
        let budget = Budget::per_second(0.01);
        let second = Duration::from_secs(1);
        assert_eq!(budget.turn(second).await, Ok(()));
        tokio::time::pause();
        let fault = budget.clone().turn(second).await.unwrap_err();
        assert!(fault.contains("0.01 requests a second"), "{fault}");
    }

    #[test]
    fn any_number_is_a_budget() {
        for per_second in [f64::MIN_POSITIVE, 1e-9, 0.5, 1.0, 1e12, f64::MAX] {
            let budget = Budget::per_second(per_second);
            assert!(budget.limiter.check().is_ok(), "{per_second}");
        }
    }
}
