//! The expiry in a signed URL.

use std::time::{Duration, SystemTime};

use jiff::{civil::DateTime, tz::TimeZone};
use reqwest::Url;

/// Returns when a URL expires. Known forms: the signing time and a lifetime in seconds (`X-Tos-Date` and
/// `X-Tos-Expires`, `X-Amz-Date` and `X-Amz-Expires`), or the expiry in Unix seconds (`Expires`, `x-expires`).
pub(crate) fn expires_at(url: &str) -> Option<SystemTime> {
    let url = Url::parse(url).ok()?;
    let parameter = |name: &str| {
        let found = url
            .query_pairs()
            .find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.into_owned())
    };
    let dated = ["X-Tos", "X-Amz"].into_iter().find_map(|scheme| {
        let date = signing_time(&parameter(&format!("{scheme}-Date"))?)?;
        let lifetime: u64 = parameter(&format!("{scheme}-Expires"))?.parse().ok()?;
        date.checked_add(Duration::from_secs(lifetime))
    });
    dated.or_else(|| {
        let seconds = parameter("Expires")
            .or_else(|| parameter("x-expires"))?
            .parse()
            .ok()?;
        SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds))
    })
}

fn signing_time(text: &str) -> Option<SystemTime> {
    let time = DateTime::strptime("%Y%m%dT%H%M%SZ", text).ok()?;
    let seconds = TimeZone::UTC.to_timestamp(time).ok()?.as_second();
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(u64::try_from(seconds).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_known_form() {
        let end = |query: &str| {
            let end = expires_at(&format!("https://host.example/video.mp4?{query}"))?;
            Some(
                end.duration_since(SystemTime::UNIX_EPOCH)
                    .unwrap()
                    .as_secs(),
            )
        };
        let second = Some(1_752_936_504);
        assert_eq!(
            end("X-Tos-Date=20250718T144824Z&X-Tos-Expires=86400"),
            second
        );
        assert_eq!(
            end("X-Amz-Date=20250718T144824Z&X-Amz-Expires=86400"),
            second
        );
        assert_eq!(
            end("x-tos-expires=86400&x-tos-date=20250718T144824Z"),
            second
        );
        assert_eq!(end("Expires=1752936504&Signature=a"), second);
        assert_eq!(end("x-expires=1752936504"), second);
        assert_eq!(end("X-Tos-Date=yesterday&X-Tos-Expires=86400"), None);
        assert_eq!(
            end("X-Tos-Expires=18446744073709551615&X-Tos-Date=20250718T144824Z"),
            None
        );
        assert_eq!(end(""), None);
    }
}
