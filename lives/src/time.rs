//! Virtual time: whole seconds since the beginning of a life.

use std::time::{Duration, SystemTime};

use jiff::{Timestamp, tz};

/// When a life begins, in Unix seconds.
const BEGIN: u64 = 1_760_000_000;

pub(crate) const MINUTE: u64 = 60;
pub(crate) const HOUR: u64 = 60 * MINUTE;
pub(crate) const DAY: u64 = 24 * HOUR;
pub(crate) const WEEK: u64 = 7 * DAY;
/// A time that is never reached.
pub(crate) const NEVER: u64 = u64::MAX / 4;

/// Returns the time on the clock.
pub(crate) fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(BEGIN + seconds)
}

/// Returns Unix seconds.
pub(crate) fn unix(seconds: u64) -> i64 {
    i64::try_from(BEGIN + seconds).unwrap_or(i64::MAX)
}

/// Rounds up: a server may retry late.
pub(crate) fn whole(delay: Duration) -> u64 {
    delay.as_secs() + u64::from(delay.subsec_nanos() > 0)
}

/// Formats a time, at an offset in hours.
pub(crate) fn text(seconds: u64, format: &str, offset: i8) -> String {
    let time = Timestamp::from_second(unix(seconds)).unwrap_or_default();
    let time = tz::offset(offset).to_datetime(time);
    time.strftime(format).to_string()
}
