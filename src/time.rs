//! The contract's times.

use std::time::{Duration, SystemTime};

/// Unix seconds as a time; `None` where they are not known.
pub(crate) fn time(unix_seconds: i64) -> Option<SystemTime> {
    let seconds = u64::try_from(unix_seconds)
        .ok()
        .filter(|seconds| *seconds > 0)?;
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds))
}

/// The same the other way; 0 before 1970.
pub(crate) fn unix_seconds(time: SystemTime) -> i64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs() as i64)
}
