//! Retry backoff.

use std::time::Duration;

/// Returns the delay after the failure of `attempt`, counted from 1: `initial` after the first one, doubled
/// after each further one, `max` at most.
///
/// ```
/// use std::time::Duration;
///
/// use seedance_archiver_policy::retry::exponential;
///
/// let delay = |attempt| exponential(Duration::from_secs(2), Duration::from_secs(60), attempt);
/// assert_eq!([1, 2, 3, 6].map(delay), [2, 4, 8, 60].map(Duration::from_secs));
/// ```
pub fn exponential(initial: Duration, max: Duration, attempt: u32) -> Duration {
    let factor = 2_u32.saturating_pow(attempt.saturating_sub(1));
    initial.saturating_mul(factor).min(max)
}

#[cfg(test)]
mod tests {
    use super::*;

    const INITIAL: Duration = Duration::from_secs(10);
    const MAX: Duration = Duration::from_secs(900);

    #[test]
    fn the_delay_doubles_up_to_the_maximum() {
        let delays = [1, 2, 3, 7, 8, 100].map(|attempt| exponential(INITIAL, MAX, attempt));
        assert_eq!(delays, [10, 20, 40, 640, 900, 900].map(Duration::from_secs));
    }

    #[test]
    fn the_highest_attempt_does_not_overflow() {
        assert_eq!(exponential(INITIAL, MAX, u32::MAX), MAX);
        assert_eq!(
            exponential(Duration::MAX, Duration::MAX, u32::MAX),
            Duration::MAX
        );
    }

    #[test]
    fn an_attempt_of_zero_counts_as_the_first() {
        assert_eq!(exponential(INITIAL, MAX, 0), INITIAL);
    }
}
