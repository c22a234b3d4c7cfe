//! How slowly a body may come: a byte now and then would hold a transfer for ever.

use std::time::Duration;

/// Average that is asked for, in bytes per second.
const MINIMUM: u32 = 16 * 1024;
/// Time over which it is taken.
const WINDOW: Duration = Duration::from_secs(60);

/// The pace of a body. Only the time spent waiting for bytes counts: the reader may be slow.
#[derive(Debug)]
pub struct Pace {
    minimum: u32,
    window: Duration,
    bytes: u64,
    waited: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self::new(MINIMUM, WINDOW)
    }
}

impl Pace {
    /// At least `minimum` bytes per second in each `window`.
    pub fn new(minimum: u32, window: Duration) -> Self {
        Self {
            minimum,
            window,
            bytes: 0,
            waited: Duration::ZERO,
        }
    }

    /// Takes note of bytes and of how long they were waited for.
    pub fn add(&mut self, bytes: u64, waited: Duration) -> Result<(), TooSlow> {
        self.bytes += bytes;
        self.waited += waited;
        if self.waited < self.window {
            return Ok(());
        }
        let ended = std::mem::replace(self, Self::new(self.minimum, self.window));
        if (ended.bytes as f64) < f64::from(ended.minimum) * ended.waited.as_secs_f64() {
            return Err(TooSlow {
                bytes: ended.bytes,
                seconds: ended.waited.as_secs(),
            });
        }
        Ok(())
    }
}

/// A body that comes too slowly.
#[derive(Debug, PartialEq, thiserror::Error)]
#[error("the video comes too slowly: {bytes} bytes in {seconds} s")]
pub struct TooSlow {
    bytes: u64,
    seconds: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn pace() -> Pace {
        Pace::new(100, 10 * SECOND)
    }

    #[test]
    fn the_minimum_is_fast_enough() {
        let mut pace = pace();
        for _ in 0..100 {
            assert_eq!(pace.add(100, SECOND), Ok(()));
        }
    }

    #[test]
    fn less_is_too_slow_once_the_window_is_over() {
        let mut pace = pace();
        for _ in 0..9 {
            assert_eq!(pace.add(99, SECOND), Ok(()));
        }
        let fault = pace.add(99, SECOND).unwrap_err();
        assert_eq!(
            fault.to_string(),
            "the video comes too slowly: 990 bytes in 10 s"
        );
    }

    #[test]
    fn a_fast_beginning_does_not_pay_for_later() {
        let mut pace = pace();
        assert_eq!(pace.add(1_000_000, 10 * SECOND), Ok(()));
        assert!(pace.add(1, 11 * SECOND).is_err());
    }

    #[test]
    fn a_slow_second_is_made_up_for_in_its_window() {
        let mut pace = pace();
        assert_eq!(pace.add(1, 9 * SECOND), Ok(()));
        assert_eq!(pace.add(999, SECOND), Ok(()));
    }

    #[test]
    fn bytes_that_lie_ready_cost_no_time() {
        let mut pace = pace();
        for _ in 0..1000 {
            assert_eq!(pace.add(1, Duration::ZERO), Ok(()));
        }
    }
}
