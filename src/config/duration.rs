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

/// A time in its two largest units, e.g. `6d 3h`.
pub fn words(duration: Duration) -> String {
    if duration < Duration::from_secs(1) {
        return format!("{}ms", duration.as_millis());
    }
    let mut rest = duration.as_secs();
    let mut words = Vec::new();
    for (unit, seconds) in [("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)] {
        let count = rest / seconds;
        if count > 0 && words.len() < 2 {
            words.push(format!("{count}{unit}"));
        } else if !words.is_empty() {
            break;
        }
        rest %= seconds;
    }
    words.join(" ")
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

    #[test]
    fn words_are_short() {
        for (seconds, expected) in [
            (7 * 86_400, "7d"),
            (86_400 + 3_600 * 3 + 59, "1d 3h"),
            (86_400 + 59, "1d"),
            (5_400, "1h 30m"),
            (90, "1m 30s"),
        ] {
            assert_eq!(words(Duration::from_secs(seconds)), expected);
        }
        assert_eq!(words(Duration::from_millis(200)), "200ms");
    }
}
