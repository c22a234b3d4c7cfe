//! Times as people write them.

use std::time::Duration;

use jiff::{Span, SpanRelativeTo};

/// A time such as `90s`, `1h 30m` or `7d`.
///
/// # Errors
///
/// Where it is none. The error completes the sentence "it must be …".
pub fn duration(text: &str) -> Result<Duration, String> {
    let read = || {
        let span: Span = text.parse().ok()?;
        let duration = span.to_duration(SpanRelativeTo::days_are_24_hours());
        Duration::try_from(duration.ok()?).ok()
    };
    read().ok_or_else(|| "a time such as \"90s\", \"24h\" or \"7d\"".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_what_people_write() {
        let seconds = |text| duration(text).ok().map(|time| time.as_secs());
        assert_eq!(seconds("7d"), Some(604_800));
        assert_eq!(seconds("1h 30m"), Some(5_400));
        assert_eq!(seconds("90 seconds"), Some(90));
        for wrong in ["", "7", "soon", "-1h"] {
            assert_eq!(seconds(wrong), None, "{wrong}");
        }
    }
}
