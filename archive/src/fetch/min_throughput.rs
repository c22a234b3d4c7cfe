//! The minimum throughput of a download. Without it, a host that sends a few bytes a minute would block a
//! transfer for hours.

use std::{mem, time::Duration};

/// Default minimum, in bytes per second.
const MIN_BYTES_PER_SECOND: u32 = 16 * 1024;
/// Default window over which the throughput is averaged.
const WINDOW: Duration = Duration::from_secs(60);

/// The minimum throughput of a download. Only the time spent waiting for bytes counts, because the reader may be
/// slow itself.
#[derive(Debug)]
pub struct MinThroughput {
    min_bytes_per_second: u32,
    window: Duration,
    bytes: u64,
    waited: Duration,
}

impl Default for MinThroughput {
    fn default() -> Self {
        Self::new(MIN_BYTES_PER_SECOND, WINDOW)
    }
}

impl MinThroughput {
    /// Returns a minimum throughput that is enforced for each `window`.
    pub fn new(min_bytes_per_second: u32, window: Duration) -> Self {
        Self {
            min_bytes_per_second,
            window,
            bytes: 0,
            waited: Duration::ZERO,
        }
    }

    /// Counts bytes, and the time that the reader waited for them.
    ///
    /// # Errors
    ///
    /// Returns an error if a window ended and its throughput was too low.
    pub fn add(&mut self, bytes: u64, waited: Duration) -> Result<(), TooSlow> {
        self.bytes += bytes;
        self.waited += waited;
        if self.waited < self.window {
            return Ok(());
        }
        let next = Self::new(self.min_bytes_per_second, self.window);
        let ended = mem::replace(self, next);
        let min_bytes = f64::from(ended.min_bytes_per_second) * ended.waited.as_secs_f64();
        if (ended.bytes as f64) < min_bytes {
            return Err(TooSlow {
                bytes: ended.bytes,
                seconds: ended.waited.as_secs(),
                min_bytes_per_second: ended.min_bytes_per_second,
            });
        }
        Ok(())
    }
}

/// The error of a download that is too slow.
#[derive(Debug, PartialEq, thiserror::Error)]
#[error(
    "download too slow: {bytes} bytes in {seconds} s, minimum is {min_bytes_per_second} bytes/s"
)]
pub struct TooSlow {
    bytes: u64,
    seconds: u64,
    min_bytes_per_second: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn throughput() -> MinThroughput {
        MinThroughput::new(100, 10 * SECOND)
    }

    #[test]
    fn a_download_at_the_minimum_is_accepted() {
        let mut throughput = throughput();
        for _ in 0..100 {
            assert_eq!(throughput.add(100, SECOND), Ok(()));
        }
    }

    #[test]
    fn a_window_below_the_minimum_is_an_error_when_it_ends() {
        let mut throughput = throughput();
        for _ in 0..9 {
            assert_eq!(throughput.add(99, SECOND), Ok(()));
        }
        let error = throughput.add(99, SECOND).unwrap_err();
        assert_eq!(
            error.to_string(),
            "download too slow: 990 bytes in 10 s, minimum is 100 bytes/s"
        );
    }

    #[test]
    fn a_fast_window_does_not_compensate_for_a_later_one() {
        let mut throughput = throughput();
        assert_eq!(throughput.add(1_000_000, 10 * SECOND), Ok(()));
        assert!(throughput.add(1, 11 * SECOND).is_err());
    }

    #[test]
    fn a_slow_second_is_compensated_within_its_window() {
        let mut throughput = throughput();
        assert_eq!(throughput.add(1, 9 * SECOND), Ok(()));
        assert_eq!(throughput.add(999, SECOND), Ok(()));
    }

    #[test]
    fn bytes_that_are_ready_take_no_time() {
        let mut throughput = throughput();
        for _ in 0..1000 {
            assert_eq!(throughput.add(1, Duration::ZERO), Ok(()));
        }
    }
}
