//! The expiry in a signed URL.

use std::time::{Duration, SystemTime};

use seedance_archiver_seedance::SignedUrl;

use crate::input::Input;

/// Ways to write an expiry.
const FORMS: [&str; 6] = [
    "X-Tos-Date=20250718T144824Z&X-Tos-Expires={lifetime}",
    "Expires={seconds}&Signature=a",
    "x-expires={seconds}000",
    "q-sign-time=1;{seconds}&q-signature=a",
    "auth_key={seconds}-0-0-abc",
    "wsSecret=a&wsTime={hexadecimal}",
];
/// The time in the first form.
const SIGNED_AT: u64 = 1_752_850_104;

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
    let form = *input.pick(&FORMS);
    let lifetime = input.number() % 2_000_000_000;
    let seconds = SIGNED_AT + lifetime;
    let query = form
        .replace("{lifetime}", &lifetime.to_string())
        .replace("{seconds}", &seconds.to_string())
        .replace("{hexadecimal}", &format!("{seconds:08x}"));
    let path: String = input
        .text()
        .chars()
        .filter(|it| !"?#".contains(*it))
        .collect();
    let url = format!("https://host.example/{path}?{query}");
    assert_eq!(expiry(&url), Some(at(seconds)), "{url}");
}

fn expiry(url: &str) -> Option<SystemTime> {
    SignedUrl::new(url.to_owned()).expires_at()
}

fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

/// Returns URLs of several services.
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
    let seeds = (0..).zip(queries).map(|(form, query)| {
        let written = [form, 0x80, 0x51, 1, 0, 0, 0, 0, 0, 2, b'v', b'/'];
        [
            &written[..],
            format!("https://user@host.example/v.mp4?{query}").as_bytes(),
        ]
        .concat()
    });
    seeds.collect()
}
