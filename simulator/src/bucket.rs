//! A rate limit that counts.

use std::time::{Duration, Instant};

/// A leaky bucket: its level falls at the allowed rate.
#[derive(Default)]
pub(crate) struct Bucket {
    level: f64,
    changed_at: Option<Instant>,
}

impl Bucket {
    /// Adds a request if the rate allows it. Returns whether it does. `burst_seconds` seconds' worth of requests may arrive
    /// together.
    pub(crate) fn take(&mut self, rate: f64, burst_seconds: f64, now: Instant) -> bool {
        let since = self.changed_at.map_or(Duration::ZERO, |at| now - at);
        self.level = (self.level - since.as_secs_f64() * rate).max(0.0);
        self.changed_at = Some(now);
        let is_allowed = self.level <= rate * burst_seconds;
        if is_allowed {
            self.level += 1.0;
        }
        is_allowed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: f64 = 20.0;
    const BURST_SECONDS: f64 = 60.0;

    #[test]
    fn requests_above_the_rate_are_counted_once_the_burst_is_used_up() {
        let mut bucket = Bucket::default();
        let start = Instant::now();
        for request in 0..1_000 {
            let at = start + Duration::from_millis(50) * request;
            assert!(bucket.take(RATE, BURST_SECONDS, at), "request {request}");
        }
        let start = start + Duration::from_secs(100);
        let burst = (RATE * BURST_SECONDS) as u32;
        let mut refused = 0;
        for request in 0..4 * burst {
            let at = start + Duration::from_millis(25) * request;
            refused += u32::from(!bucket.take(RATE, BURST_SECONDS, at));
        }
        // Half of the requests are above the rate, and half of these fit into the burst.
        assert!((burst - 10..=burst + 10).contains(&refused), "{refused}");
    }
}
