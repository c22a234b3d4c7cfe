//! Parses durations in prompts and on command lines.

use std::time::Duration;

/// Maximum duration: a leap year. No sum of a few such durations overflows a clock.
const MAX_DURATION: Duration = Duration::from_secs(366 * 24 * 60 * 60);

/// Parses a number of seconds from 0 to a year, e.g. `4.5`.
///
/// # Errors
///
/// Returns a problem that completes the sentence "`text` …" if the text is not such a number.
pub fn seconds(text: &str) -> Result<Duration, String> {
    text.parse()
        .ok()
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .filter(|time| *time <= MAX_DURATION)
        .ok_or_else(|| "must be a number of seconds, from 0 to 31622400 (a year)".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_seconds_up_to_a_year() {
        assert_eq!(seconds("4.5"), Ok(Duration::from_millis(4500)));
        assert_eq!(seconds("0"), Ok(Duration::ZERO));
        for text in ["", "soon", "-1", "1e19", "NaN", "inf", "31622401"] {
            assert!(seconds(text).unwrap_err().contains("a year"), "{text}");
        }
    }
}
