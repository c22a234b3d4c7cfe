//! The expiry in a signed URL.

use std::time::{Duration, SystemTime};

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use reqwest::Url;
use seedance_archiver_proto::time::unix_seconds;

/// Prefixes of the parameters `…-Date` and `…-Expires`: TOS, S3, Google Cloud Storage, OSS, OBS, COS.
const DATED: [&str; 6] = ["X-Tos", "X-Amz", "X-Goog", "x-oss", "X-Obs", "X-Cos"];
/// Parameters with the expiry in Unix seconds, or with a time such as Azure's `se`.
const EXPIRIES: [&str; 11] = [
    "Expires",
    "x-expires",
    "X-Expires-At",
    "se",
    "expire",
    "expires_at",
    "exp",
    "e",
    "deadline",
    "wsTime",
    "t",
];
/// Parameters with the period of a key: `start;end` in Unix seconds, as in COS.
const PERIODS: [&str; 2] = ["q-sign-time", "q-key-time"];
/// The earliest plausible expiry, in Unix seconds: in 2001. A smaller number is a lifetime, or no time at all.
const MIN_TIME: i64 = 1_000_000_000;

/// Returns when a URL expires, or `None` if it contains no expiry that is known to be one.
///
/// Known forms: the signing time and a lifetime in seconds, an expiry in Unix seconds or milliseconds, in hexadecimal
/// seconds or as a date, the period of a key, and the `auth_key` of CDNs.
pub(crate) fn expires_at(url: &str) -> Option<SystemTime> {
    let url = Url::parse(url).ok()?;
    let parameter = |name: &str| {
        let mut pairs = url.query_pairs();
        let found = pairs.find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.into_owned())
    };
    let dated = DATED.into_iter().find_map(|scheme| {
        let date = signing_time(&parameter(&format!("{scheme}-Date"))?)?;
        let lifetime: u64 = parameter(&format!("{scheme}-Expires"))?.parse().ok()?;
        date.checked_add(Duration::from_secs(lifetime))
    });
    let periods = || {
        PERIODS.into_iter().find_map(|name| {
            let period = parameter(name)?;
            unix_time(period.split_once(';')?.1)
        })
    };
    let expiries = || {
        EXPIRIES
            .into_iter()
            .find_map(|name| moment(&parameter(name)?))
    };
    // `timestamp-random-user-hash`, where the time is that of the expiry.
    let auth_key = || moment(parameter("auth_key")?.split('-').next()?);
    let found = dated.or_else(periods).or_else(expiries).or_else(auth_key);
    found.filter(|end| unix_seconds(*end) >= MIN_TIME)
}

fn signing_time(text: &str) -> Option<SystemTime> {
    let time = DateTime::strptime("%Y%m%dT%H%M%SZ", text).ok()?;
    SystemTime::try_from(TimeZone::UTC.to_timestamp(time).ok()?).ok()
}

fn moment(text: &str) -> Option<SystemTime> {
    let hexadecimal = || {
        let seconds = u32::from_str_radix(text, 16).ok()?;
        (text.len() == 8).then(|| unix_time(&seconds.to_string()))?
    };
    let date = || SystemTime::try_from(text.parse::<Timestamp>().ok()?).ok();
    unix_time(text).or_else(date).or_else(hexadecimal)
}

/// Reads Unix seconds or milliseconds.
fn unix_time(text: &str) -> Option<SystemTime> {
    let text = text.trim();
    // A hexadecimal time such as `687123e4` would be read as a number with an exponent.
    let is_number = text.bytes().all(|it| it.is_ascii_digit() || it == b'.');
    let number: f64 = text.parse().ok().filter(|_| is_number)?;
    let seconds = if number >= 1e11 { number / 1e3 } else { number };
    let since = Duration::try_from_secs_f64(seconds).ok()?;
    let time = SystemTime::UNIX_EPOCH.checked_add(since)?;
    (unix_seconds(time) >= MIN_TIME).then_some(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_752_936_504;

    fn end(query: &str) -> Option<u64> {
        let end = expires_at(&format!("https://host.example/video.mp4?{query}"))?;
        Some(
            end.duration_since(SystemTime::UNIX_EPOCH)
                .unwrap()
                .as_secs(),
        )
    }

    #[test]
    fn reads_every_known_form() {
        for query in [
            "X-Tos-Date=20250718T144824Z&X-Tos-Expires=86400",
            "X-Amz-Date=20250718T144824Z&X-Amz-Expires=86400",
            "X-Goog-Date=20250718T144824Z&X-Goog-Expires=86400",
            "x-oss-date=20250718T144824Z&x-oss-expires=86400",
            "x-tos-expires=86400&x-tos-date=20250718T144824Z",
            "Expires=1752936504&Signature=a",
            "Expires=1752936504000&Signature=a",
            "x-expires=1752936504",
            "se=2025-07-19T14%3A48%3A24Z&sp=r&sig=a",
            "q-sign-time=1752850104;1752936504&q-signature=a",
            "auth_key=1752936504-0-0-abc",
            "wsSecret=a&wsTime=687bb038",
            "sign=a&t=687bb038",
            "e=1752936504&token=a",
        ] {
            assert_eq!(end(query), Some(SECOND), "{query}");
        }
    }

    #[test]
    fn a_hexadecimal_time_is_no_number_with_an_exponent() {
        assert_eq!(end("wsSecret=a&wsTime=687123e4"), Some(0x6871_23e4));
        assert_eq!(end("Expires=1e9"), None);
    }

    #[test]
    fn what_is_no_expiry_is_ignored() {
        for query in [
            "",
            "expires=0",
            "x-expires=86400",
            "Expires=-1",
            "Expires=never",
            "X-Tos-Date=yesterday&X-Tos-Expires=86400",
            "X-Tos-Expires=18446744073709551615&X-Tos-Date=20250718T144824Z",
            "X-Tos-Date=00010101T000000Z&X-Tos-Expires=86400",
            "se=1970-01-02T00%3A00%3A00Z",
            "auth_key=secret",
            "t=1",
            "e=2.7",
            "se=",
        ] {
            assert_eq!(end(query), None, "{query}");
        }
        let both = "Expires=0&X-Expires=1752936504";
        assert_eq!(end(both), Some(SECOND), "another parameter has it");
    }
}
