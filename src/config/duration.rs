//! Durations in settings and on the command line.

use std::time::Duration;

use jiff::{Span, SpanRelativeTo};

/// Parses a duration such as `90s`, `1h 30m` or `7d`. A day has 24 hours; months and years are rejected.
///
/// # Errors
///
/// Returns an error if the text is not a duration, or is negative. The error completes the sentence "the
/// setting …".
pub fn duration(text: &str) -> Result<Duration, String> {
    let parse = || {
        let span: Span = text.parse().ok()?;
        let duration = span.to_duration(SpanRelativeTo::days_are_24_hours());
        Duration::try_from(duration.ok()?).ok()
    };
    parse().ok_or_else(|| "must be a duration such as `90s`, `24h` or `7d`".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_a_number_with_a_unit_or_iso_8601() {
        let seconds = |text| duration(text).ok().map(|duration| duration.as_secs());
        assert_eq!(seconds("7d"), Some(604_800));
        assert_eq!(seconds("1h 30m"), Some(5_400));
        assert_eq!(seconds("90 seconds"), Some(90));
        assert_eq!(seconds("1.5h"), Some(5_400));
        assert_eq!(seconds("PT1H30M"), Some(5_400));
        for invalid in ["", "7", "soon", "-1h", "1 month", "1y"] {
            assert_eq!(seconds(invalid), None, "{invalid}");
        }
    }
}
