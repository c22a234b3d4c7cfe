//! Times as people write them: in prompts and on command lines.

use std::time::Duration;

/// Bound on every time, so that no sum of them overflows a clock.
const LONGEST: Duration = Duration::from_secs(366 * 24 * 60 * 60);

/// Reads a time from 0 to a year, in seconds, e.g. `4.5`.
///
/// # Errors
///
/// The text is none. The error says what would be one, and fits behind a colon or an "is".
pub fn seconds(text: &str) -> Result<Duration, String> {
    text.parse()
        .ok()
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .filter(|time| *time <= LONGEST)
        .ok_or_else(|| "not a time from 0 to a year, in seconds".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_a_clock_can_hold() {
        assert_eq!(seconds("4.5"), Ok(Duration::from_millis(4500)));
        assert_eq!(seconds("0"), Ok(Duration::ZERO));
        for text in ["", "soon", "-1", "1e19", "NaN", "inf", "31622401"] {
            assert!(seconds(text).unwrap_err().contains("a year"), "{text}");
        }
    }
}
