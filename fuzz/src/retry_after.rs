//! The header `Retry-After`.

use std::time::{Duration, SystemTime};

use reqwest::header::{HeaderMap, HeaderValue, RETRY_AFTER};
use seedance_archiver_http::retry_after;

use crate::input::Input;

const DAY: u64 = 24 * 60 * 60;

/// A delay is at most a day, and is not longer the later it is read. Whole seconds are read as they are, with and without
/// white space around them.
pub fn check(input: &[u8]) {
    let mut input = Input::new(input);
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(input.number() >> 24);
    let value = input.rest();
    let delay = delay(value, now);
    assert!(
        delay.is_none_or(|delay| delay.as_secs() <= DAY),
        "{delay:?}"
    );
    let spaced = [b" ", value, b"  "].concat();
    assert_eq!(self::delay(&spaced, now), delay);
    let later = self::delay(value, now + Duration::from_secs(60));
    assert!(later <= delay, "{later:?} {delay:?}");
    if let Ok(seconds) = String::from_utf8_lossy(value).parse::<u32>()
        && value.iter().all(u8::is_ascii_digit)
    {
        let expected = Duration::from_secs(u64::from(seconds).min(DAY));
        assert_eq!(delay, Some(expected));
    }
}

fn delay(value: &[u8], now: SystemTime) -> Option<Duration> {
    let value = HeaderValue::from_bytes(value).ok()?;
    retry_after(&HeaderMap::from_iter([(RETRY_AFTER, value)]), now)
}

/// Returns delays in each form.
pub fn seeds() -> Vec<Vec<u8>> {
    let values = [
        "120",
        "0",
        "1.5",
        "Sun, 06 Nov 1994 08:50:37 GMT",
        "Sunday, 06-Nov-94 08:50:37 GMT",
        "Sun Nov  6 08:50:37 1994",
        "99999999999999999999",
        "-1",
        "soon",
    ];
    let now = 784_111_777_u64 << 24;
    let seeds = values
        .iter()
        .map(|value| [&now.to_le_bytes(), value.as_bytes()].concat());
    seeds.collect()
}
