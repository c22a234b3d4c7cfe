//! Formats times and durations for details in the Temporal UI, failure messages and command output.

use std::time::Duration;

use jiff::Timestamp;

/// Formats Unix seconds, e.g. `2026-08-28 06:27:11 UTC`. Returns `None` for 0, an unknown time.
pub fn utc(unix_seconds: i64) -> Option<String> {
    let time = Timestamp::from_second(unix_seconds).ok()?;
    let text = || time.strftime("%Y-%m-%d %H:%M:%S UTC").to_string();
    (unix_seconds > 0).then(text)
}

/// Formats a duration in its two largest units, e.g. `6d 3h`.
pub fn duration(duration: Duration) -> String {
    if duration < Duration::from_secs(1) {
        return format!("{}ms", duration.as_millis());
    }
    let mut rest = duration.as_secs();
    let mut parts = Vec::new();
    for (unit, seconds) in [("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)] {
        let count = rest / seconds;
        if count > 0 && parts.len() < 2 {
            parts.push(format!("{count}{unit}"));
        } else if !parts.is_empty() {
            break;
        }
        rest %= seconds;
    }
    parts.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_in_utc_and_0_is_not_known() {
        assert_eq!(
            utc(1_787_898_431).as_deref(),
            Some("2026-08-28 06:27:11 UTC")
        );
        assert_eq!(utc(0), None);
        assert_eq!(utc(1).as_deref(), Some("1970-01-01 00:00:01 UTC"));
        assert_eq!(utc(i64::MAX), None);
    }

    #[test]
    fn a_duration_has_at_most_two_units() {
        for (seconds, expected) in [
            (7 * 86_400, "7d"),
            (86_400 + 3_600 * 3 + 59 * 60, "1d 3h"),
            (86_400 + 59, "1d"),
            (5_400, "1h 30m"),
            (90, "1m 30s"),
        ] {
            assert_eq!(duration(Duration::from_secs(seconds)), expected);
        }
        assert_eq!(duration(Duration::from_millis(200)), "200ms");
        assert_eq!(duration(Duration::from_millis(1_000)), "1s");
    }
}
