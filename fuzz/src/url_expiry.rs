//! The expiry in a signed URL.

use std::time::{Duration, SystemTime};

use seedance_archiver_seedance::SignedUrl;

use crate::input::Input;

/// Prefixes of the parameters with the signing time and the lifetime.
const DATED: [&str; 6] = ["X-Tos", "X-Amz", "X-Goog", "x-oss", "X-Obs", "X-Cos"];
/// Parameters with the expiry.
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
/// Parameters with the beginning and the end of a period.
const PERIODS: [&str; 2] = ["q-sign-time", "q-key-time"];
/// The parameter with the expiry and other values.
const KEY: &str = "auth_key";
/// Ways to write an expiry.
const NUMBERS: [&str; 2] = ["{seconds}", "{seconds}000"];
const HEXADECIMAL: &str = "{hexadecimal}";
const DATE: &str = "{date}";

/// When a URL with a lifetime was signed: 2025-07-18T14:48:24Z.
const SIGNED_AT: u64 = 1_752_850_104;
/// The day of an expiry that is a date: 2025-07-19.
const DAY: u64 = 1_752_883_200;
const SECONDS_OF_DAY: u64 = 86_400;

/// Returns the parameters, or their prefixes, that are written.
pub fn parameters() -> Vec<&'static str> {
    let parameters = DATED.into_iter().chain(EXPIRIES).chain(PERIODS);
    parameters.chain([KEY]).collect()
}

/// Returns every way to write an expiry into a query.
fn forms() -> Vec<String> {
    let numbers = || NUMBERS.into_iter();
    let dated = DATED.map(|prefix| {
        format!("{prefix}-Date=20250718T144824Z&{prefix}-Expires={{lifetime}}&{prefix}-Signature=a")
    });
    let expiries = EXPIRIES.iter().flat_map(|name| {
        let moments = numbers().chain([HEXADECIMAL, DATE]);
        moments.map(move |moment| format!("Signature=a&{name}={moment}"))
    });
    let periods = PERIODS
        .iter()
        .flat_map(|name| numbers().map(move |moment| format!("{name}=1;{moment}&q-signature=a")));
    let keys = numbers().chain([HEXADECIMAL]);
    let keys = keys.map(|moment| format!("{KEY}={moment}-0-0-abc"));
    dated
        .into_iter()
        .chain(expiries)
        .chain(periods)
        .chain(keys)
        .collect()
}

/// An expiry that is written into a URL is read, whatever surrounds it. The expiry depends only on the query, and is no
/// time before signed URLs existed.
pub fn check(input: &[u8]) {
    let mut input = Input::new(input);
    check_written(&mut input);
    let text = input.rest_as_text();
    let found = expiry(&text);
    if let Some(time) = found {
        assert!(time >= at(1_000_000_000), "{text:?} expires at {time:?}");
    }
    let address = text.split(['?', '#']).next().unwrap_or_default();
    assert_eq!(expiry(address), None, "{text:?}");
    // A fragment is not part of the query.
    assert_eq!(expiry(&format!("{address}#Expires=1752936504")), None);
    if text.contains('?') && !text.contains('#') {
        let longer = format!("{text}&unrelated=1");
        assert_eq!(expiry(&longer).is_some(), found.is_some(), "{text:?}");
    }
    let host = SignedUrl::new(text.clone()).host();
    assert!(!host.contains(['@', '?', '#', '/']), "{text:?}");
}

/// Writes an expiry in one of the known forms into a URL.
fn check_written(input: &mut Input) {
    let forms = forms();
    let form = input.pick(&forms);
    let case = input.byte();
    let lifetime = input.number() % 2_000_000_000;
    let (query, expires_at) = write(form, lifetime);
    let query = with_case(&query, case);
    let path: String = input
        .text()
        .chars()
        .filter(|it| !"?#".contains(*it))
        .collect();
    let url = format!("https://host.example/{path}?{query}");
    assert_eq!(expiry(&url), Some(at(expires_at)), "{url}");
}

/// Returns a form with an expiry, in Unix seconds.
fn write(form: &str, lifetime: u64) -> (String, u64) {
    let time = lifetime % SECONDS_OF_DAY;
    let expires_at = match form.contains(DATE) {
        true => DAY + time,
        false => SIGNED_AT + lifetime,
    };
    let [hour, minute, second] = [time / 3_600, time / 60 % 60, time % 60];
    let date = format!("2025-07-19T{hour:02}%3A{minute:02}%3A{second:02}Z");
    let query = form
        .replace("{lifetime}", &lifetime.to_string())
        .replace("{seconds}", &expires_at.to_string())
        .replace(HEXADECIMAL, &format!("{expires_at:08x}"))
        .replace(DATE, &date);
    (query, expires_at)
}

/// Writes the names of the parameters in other letters, which mean the same.
fn with_case(query: &str, case: u8) -> String {
    let pairs = query.split('&').map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let name = match case % 3 {
            0 => name.to_owned(),
            1 => name.to_lowercase(),
            _ => name.to_uppercase(),
        };
        format!("{name}={value}")
    });
    pairs.collect::<Vec<_>>().join("&")
}

fn expiry(url: &str) -> Option<SystemTime> {
    SignedUrl::new(url.to_owned()).expires_at()
}

fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

/// Returns every form, and URLs of several services.
pub fn seeds() -> Vec<Vec<u8>> {
    let queries = [
        "X-Tos-Date=20250718T144824Z&X-Tos-Expires=86400",
        "x-oss-date=20250718T144824Z&x-oss-expires=86400",
        "Expires=1752936504000&Signature=a",
        "se=2025-07-19T14%3A48%3A24Z&sp=r&sig=a",
        "q-sign-time=1752850104;1752936504&q-signature=a",
        "auth_key=1752936504-0-0-abc",
        "sign=a&t=687bb038",
        "e=1752936504&token=a#b",
        "X-Amz-Date=00010101T000000Z&X-Amz-Expires=3600",
        "se=1970-01-02T00%3A00%3A00Z&sig=a",
    ];
    let seeds = (0..).zip(forms()).zip(queries.iter().cycle());
    let seeds = seeds.map(|((form, _), query)| {
        let written = [form, form, 0x80, 0x51, 1, 0, 0, 0, 0, 0, 2, b'v', b'/'];
        [
            &written[..],
            format!("https://user@host.example/v.mp4?{query}").as_bytes(),
        ]
        .concat()
    });
    seeds.collect()
}
