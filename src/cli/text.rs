//! Counts and times as text.

use std::time::Duration;

use indicatif::HumanCount;
use seedance_archiver_clock::Clock;
use seedance_archiver_proto::time::unix_seconds as to_unix_seconds;
use seedance_archiver_workflows::format;

/// Formats a count with its noun, e.g. `1 video` or `1,200 videos`.
pub(super) fn count(count: usize, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", HumanCount(count as u64))
}

/// Formats a time, e.g. `2026-08-28 06:27:11 UTC`. An unknown time is empty.
pub(super) fn time(unix_seconds: i64) -> String {
    format::utc(unix_seconds).unwrap_or_default()
}

/// Formats a deadline with the time left, e.g. `2026-08-28 06:27:11 UTC (6d 3h left)`. An unknown
/// deadline is empty.
pub(super) fn deadline(unix_seconds: i64) -> String {
    relative(unix_seconds, "left")
}

/// Formats a time with its age, e.g. `2026-08-28 06:27:11 UTC (3h ago)`. An unknown time is empty.
pub(super) fn time_with_age(unix_seconds: i64) -> String {
    relative(unix_seconds, "from now")
}

fn relative(unix_seconds: i64, if_ahead: &str) -> String {
    let time = time(unix_seconds);
    if time.is_empty() {
        return time;
    }
    let seconds = unix_seconds - to_unix_seconds(Clock::default().now());
    let distance = format::duration(Duration::from_secs(seconds.unsigned_abs()));
    match seconds {
        0 => format!("{time} (now)"),
        1.. => format!("{time} ({distance} {if_ahead})"),
        _ => format!("{time} ({distance} ago)"),
    }
}
