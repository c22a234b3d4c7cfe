//! Conversion of times, which are Unix seconds in all messages.

use std::time::{Duration, SystemTime};

/// Converts Unix seconds. Returns `None` for 0, an unknown time.
pub fn from_unix_seconds(unix_seconds: i64) -> Option<SystemTime> {
    let seconds = u64::try_from(unix_seconds)
        .ok()
        .filter(|seconds| *seconds > 0)?;
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds))
}

/// Returns the Unix seconds of a time, 0 if it is before 1970.
pub fn unix_seconds(time: SystemTime) -> i64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| {
        i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
    })
}
