//! Times in records, in every unit and form that services are known to send.

use std::time::SystemTime;

use jiff::{Timestamp, civil::DateTime, fmt::strtime, tz};
use seedance_archiver_proto::time::unix_seconds;
use serde_json::Value;

/// How far ahead of this machine's clock a time may be. A time further ahead is no creation time.
const MAX_AHEAD: i64 = 60 * 60;
/// The earliest plausible time, in Unix seconds: in 2001. A smaller number is no time.
const MIN_TIME: i64 = 1_000_000_000;
/// The zones of times without a zone, in hours: UTC and China.
const ZONES: [i8; 2] = [0, 8];
/// How old a task can be whose creation time is read from its id.
const MAX_AGE: i64 = 7 * 24 * 60 * 60;

/// Reads a time. Returns its Unix seconds, or `None` if the value is not a time or lies in the future. `zone` is that of a
/// time without a zone, `None` if it is not known.
pub(crate) fn read(value: &Value, now: SystemTime, zone: Option<i8>) -> Option<i64> {
    let seconds = match value {
        Value::Number(number) => in_seconds(number.as_f64()?),
        Value::String(text) => of_text(text.trim(), now, zone)?,
        // The JSON of protobuf's and MongoDB's time types.
        Value::Object(fields) => {
            let inner = ["seconds", "_seconds", "$date", "$numberLong"];
            let read = |name: &&str| read(fields.get(*name)?, now, zone);
            return inner.iter().find_map(read);
        }
        _ => return None,
    };
    is_past(seconds, now).then_some(seconds)
}

/// Returns the creation time in the id of a task whose record has none.
pub(crate) fn created_at_in_recent_id(task_id: &str, now: SystemTime) -> Option<i64> {
    let seconds = unix_seconds(created_at_in_id(task_id)?);
    let is_recent = unix_seconds(now) - seconds < MAX_AGE;
    (is_recent && is_past(seconds, now)).then_some(seconds)
}

/// Returns the zone of a creation time without a zone: the one in which it is nearest to the time in the task id. How old
/// the task is must not decide it: the task would become younger when the other zone's time has passed.
pub(crate) fn zone_of(created_at: &Value, task_id: &str) -> Option<i8> {
    let time = local(created_at.as_str()?.trim())?;
    let in_id = unix_seconds(created_at_in_id(task_id)?);
    let distance = |zone: &i8| in_zone(time, *zone).map(|time| time.abs_diff(in_id));
    ZONES
        .into_iter()
        .min_by_key(|zone| distance(zone).unwrap_or(u64::MAX))
}

/// Returns the creation time in a task id: `cgt-` and the time in China. The form was observed and is not
/// documented.
pub fn created_at_in_id(task_id: &str) -> Option<SystemTime> {
    let digits = task_id.strip_prefix("cgt-")?.get(..14)?;
    let time = DateTime::strptime("%Y%m%d%H%M%S", digits).ok()?;
    let time = tz::offset(8).to_timestamp(time).ok()?;
    SystemTime::try_from(time).ok()
}

fn is_past(seconds: i64, now: SystemTime) -> bool {
    (MIN_TIME..=unix_seconds(now) + MAX_AHEAD).contains(&seconds)
}

/// Converts a number of seconds, milliseconds, microseconds or nanoseconds since 1970. The magnitudes of these units
/// do not overlap for centuries.
fn in_seconds(number: f64) -> i64 {
    let unit = match number.abs() {
        1e17.. => 1e9,
        1e14.. => 1e6,
        1e11.. => 1e3,
        _ => 1.0,
    };
    (number / unit) as i64
}

fn of_text(text: &str, now: SystemTime, zone: Option<i8>) -> Option<i64> {
    if let Ok(number) = text.parse::<f64>() {
        return Some(in_seconds(number));
    }
    if let Ok(time) = text.parse::<Timestamp>() {
        return Some(time.as_second());
    }
    if let Ok(time) = httpdate::parse_http_date(text) {
        return Some(unix_seconds(time));
    }
    const WITH_ZONE: [&str; 4] = [
        "%Y-%m-%dT%H:%M:%S%.f%z",
        "%Y-%m-%d %H:%M:%S%.f %z",
        "%Y-%m-%d %H:%M:%S%.f%z",
        "%a, %d %b %Y %H:%M:%S %z",
    ];
    // Go appends the name of the zone to its offset.
    let without_zone_name = text
        .trim_end_matches(|c: char| c.is_ascii_uppercase())
        .trim_end();
    let with_zone = WITH_ZONE.iter().find_map(|format| {
        let time = strtime::parse(format, without_zone_name).ok()?;
        time.to_timestamp().ok()
    });
    if let Some(time) = with_zone {
        return Some(time.as_second());
    }
    let time = local(text)?;
    match zone {
        Some(zone) => in_zone(time, zone),
        // UTC, or the time in China if it would lie in the future.
        None => in_zone(time, ZONES[0])
            .filter(|utc| is_past(*utc, now))
            .or_else(|| in_zone(time, ZONES[1])),
    }
}

fn in_zone(time: DateTime, zone: i8) -> Option<i64> {
    Some(tz::offset(zone).to_timestamp(time).ok()?.as_second())
}

/// Reads a time without a zone.
fn local(text: &str) -> Option<DateTime> {
    const FORMATS: [&str; 3] = [
        "%Y-%m-%dT%H:%M:%S%.f",
        "%Y-%m-%d %H:%M:%S%.f",
        "%Y/%m/%d %H:%M:%S",
    ];
    FORMATS
        .iter()
        .find_map(|format| DateTime::strptime(format, text).ok())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;

    const SECOND: i64 = 1_750_766_730;

    fn now() -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(SECOND as u64 + 60)
    }

    #[test]
    fn the_magnitude_of_a_number_is_its_unit() {
        for value in [
            json!(1_750_766_730),
            json!(1_750_766_730.9),
            json!(1_750_766_730_771_i64),
            json!(1_750_766_730_771_000_i64),
            json!(1_750_766_730_771_000_000_i64),
            json!("1750766730"),
            json!(" 1750766730771 "),
            json!("1.750766730e9"),
            json!({"seconds": "1750766730", "nanos": 5}),
            json!({"$date": "2025-06-24T12:05:30Z"}),
            json!("2025-06-24T12:05:30Z"),
            json!("2025-06-24T12:05:30.771Z"),
            json!("2025-06-24T20:05:30+08:00"),
            json!("2025-06-24T20:05:30.771+0800"),
            json!("2025-06-24 20:05:30 +0800 CST"),
            json!("Tue, 24 Jun 2025 12:05:30 GMT"),
            json!("Tue, 24 Jun 2025 20:05:30 +0800"),
            json!("2025-06-24 12:05:30"),
            json!("2025-06-24T12:05:30.5"),
            json!("2025/06/24 12:05:30"),
            // In UTC it would lie in the future.
            json!("2025-06-24 20:05:30"),
        ] {
            assert_eq!(read(&value, now(), None), Some(SECOND), "{value}");
        }
    }

    #[test]
    fn what_is_not_a_past_time_was_not_told() {
        for value in [
            json!(null),
            json!(0),
            json!(-1),
            json!(7),
            json!("soon"),
            json!(""),
            json!("NaN"),
            json!([1_750_766_730]),
            json!({}),
            json!(SECOND + 2 * 60 * 60),
            json!(1e300),
            json!("2099-01-01T00:00:00Z"),
        ] {
            assert_eq!(read(&value, now(), None), None, "{value}");
        }
        let skewed = json!(SECOND + 5 * 60);
        assert_eq!(read(&skewed, now(), None), Some(SECOND + 5 * 60));
    }

    #[test]
    fn a_time_without_a_zone_does_not_change_while_the_task_ages() {
        let id = "cgt-20250624200530-hj94q";
        for (text, zone) in [("2025-06-24 20:05:33", 8), ("2025-06-24T12:05:33", 0)] {
            let value = json!(text);
            assert_eq!(zone_of(&value, id), Some(zone));
            for hours in [0, 7, 8, 9, 100] {
                let later = now() + Duration::from_secs(hours * 60 * 60);
                assert_eq!(read(&value, later, Some(zone)), Some(SECOND + 3), "{hours}");
            }
        }
        assert_eq!(zone_of(&json!("2025-06-24 20:05:33"), "task-7"), None);
        assert_eq!(zone_of(&json!("2025-06-24T20:05:33Z"), id), None);
        assert_eq!(zone_of(&json!(SECOND), id), None);
    }

    #[test]
    fn an_id_has_a_creation_time_if_it_is_recent() {
        let id = "cgt-20250624200530-hj94q";
        assert_eq!(created_at_in_recent_id(id, now()), Some(SECOND));
        let day = Duration::from_secs(24 * 60 * 60);
        assert_eq!(created_at_in_recent_id(id, now() + 7 * day), None);
        assert_eq!(created_at_in_recent_id(id, now() - day), None);
        for id in [
            "cgt-1",
            "cgt-20261328062711-hj94q",
            "task-7",
            "cgt-ä0260828062711",
            "",
        ] {
            assert_eq!(created_at_in_id(id), None, "{id}");
        }
    }
}
