//! Redaction: no planted secret survives in any text.

use seedance_archiver_proto::{external, redact};

use crate::{
    input::{Input, short},
    secrets::{self, SECRET},
};

/// Ways to write a secret into a URL. Both functions remove it.
const URLS: [&str; 8] = [
    "https://host.example/v.mp4?X-Tos-Signature={}",
    "https://host.example/v.mp4?a=b&opaque={}&c=d",
    "https://host.example/v.mp4?{}",
    "https://host.example/v.mp4#{}",
    "https://user:{}@host.example/v.mp4",
    "https://{}@host.example:8080/v.mp4",
    "//host.example/v.mp4?X-Amz-Signature={}",
    "host.example/v.mp4?sig={}",
];
/// Ways to write a credential into an error, which only `secrets` removes.
const CREDENTIALS: [&str; 8] = [
    "<Token-0>{}</Token-0>",
    "\"api_key\": \"{}\"",
    "\\\"session_token\\\":\\\"{}\\\"",
    "&sig={}",
    "\nAuthorization: Bearer {}",
    "\nx-amz-security-token: {}",
    " password={}",
    " api_key:{}",
];
const ESCAPES: usize = 7;

/// No planted secret survives, whatever surrounds it and however it is escaped. Redaction and the
/// functions of `external` change nothing the second time, and cut a text to its bound.
pub fn check(input: &[u8]) {
    if secrets::is_in_bytes(input) {
        return;
    }
    check_any_text(&String::from_utf8_lossy(input));
    let mut input = Input::new(input);
    let form = input.up_to(URLS.len() + CREDENTIALS.len() - 1);
    let escape = input.up_to(ESCAPES - 1);
    let before = input.text();
    let after = input.rest_as_text();
    let template = URLS.iter().chain(&CREDENTIALS).nth(form);
    let planted = template.unwrap().replace("{}", SECRET);
    let text = match form < URLS.len() {
        true => format!("{before}{}{after}", escaped(&planted, escape)),
        // A credential is recognized by a name, which must not be part of another word.
        false => format!("{before} {planted}{after}"),
    };
    check_removed(&text, &redact::secrets(&text));
    check_removed(&text, &external::message(&text));
    check_removed(&text, &external::field(&text, 400));
    if form < URLS.len() {
        check_removed(&text, &redact::urls(&text));
    }
}

fn check_removed(text: &str, redacted: &str) {
    assert!(!secrets::is_in(redacted), "{text:?} became {redacted:?}");
}

fn check_any_text(text: &str) {
    let once = redact::secrets(text);
    assert_eq!(redact::secrets(&once), once, "{text:?}");
    let once = redact::urls(text);
    assert_eq!(redact::urls(&once), once, "{text:?}");
    let once = external::line(text, usize::MAX);
    assert!(!once.contains(char::is_control), "{once:?}");
    assert_eq!(external::line(&once, usize::MAX), once, "{text:?}");
    let cut = external::line(text, 100);
    assert!(cut.chars().count() <= 100, "{cut:?}");
}

/// Writes a URL into something else.
fn escaped(url: &str, form: usize) -> String {
    let percent = |text: &str| {
        let characters = text.chars().map(|it| match it {
            ':' | '/' | '?' | '=' | '&' | '%' | '@' | '#' => format!("%{:02X}", u32::from(it)),
            other => other.to_string(),
        });
        characters.collect::<String>()
    };
    match form {
        0 => url.to_owned(),
        1 => url.replace('/', "\\/").replace('&', "\\u0026"),
        2 => url.replace('&', "&amp;"),
        3 => percent(url),
        4 => percent(&percent(url)),
        5 => url.replace('/', "\\\\/").replace('&', "\\\\u0026"),
        _ => url.to_uppercase(),
    }
}

/// Returns each form of a secret, inside texts in which it occurs.
pub fn seeds() -> Vec<Vec<u8>> {
    let around = [
        ("cannot fetch \"", "\": gone"),
        ("{\"video_url\":\"", "\",\"n\":1}"),
        ("<Error><Message>", "</Message></Error>"),
        ("HTTP 403 at https://a.example/b?c=", " end"),
        ("token='", "' secret: \"x\""),
        ("(", ")"),
        ("(", "secret: x)"),
    ];
    let forms = URLS.len() + CREDENTIALS.len();
    let seeds = (0..forms).map(|form| {
        let (before, after) = around[form % around.len()];
        let head = [form as u8, (form % ESCAPES) as u8];
        [&head, &short(before.as_bytes())[..], after.as_bytes()].concat()
    });
    seeds.collect()
}
