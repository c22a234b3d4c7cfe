//! An unsuccessful response of the task API.

use std::time::Duration;

use seedance_archiver_seedance::ErrorKind;

use crate::{
    input::{Input, short},
    loopback::Reply,
    secrets,
    service::{self, API_KEY},
};

const STATUSES: [u16; 14] = [
    200, 202, 301, 400, 401, 403, 404, 408, 410, 418, 429, 500, 503, 504,
];
/// Maximum length of the text of an error, in characters: 400 of a text and a request id of 128.
const MAX_TEXT: usize = 400 + " (request id )".len() + 128;

/// The kind of an error follows from the status if the status decides it. Its text is one bounded line without the API
/// key and without the signed URLs in the body.
pub fn check(input: &[u8]) {
    if secrets::is_in_bytes(input) {
        return;
    }
    let mut input = Input::new(input);
    let status = *input.pick(&STATUSES);
    let retry_after = input.short().to_vec();
    let request_id = input.short().to_vec();
    let reply = Reply::new(status, secrets::plant(input.rest()))
        .with_header("retry-after", retry_after)
        .with_header("x-request-id", request_id);
    let Err(error) = service::query(reply) else {
        return assert_eq!(status / 100, 2);
    };
    check_kind(status, error.kind());
    let day = Duration::from_secs(24 * 60 * 60);
    assert!(error.retry_after().is_none_or(|delay| delay <= day));
    let text = error.to_string();
    assert!(text.chars().count() <= MAX_TEXT, "{text}");
    assert!(!text.contains(char::is_control), "{text:?}");
    assert!(!text.contains(API_KEY), "{text}");
    assert!(!secrets::is_in(&text), "{text}");
}

fn check_kind(status: u16, kind: ErrorKind) {
    match status {
        401 => assert_eq!(kind, ErrorKind::Unauthorized),
        429 => assert_eq!(kind, ErrorKind::RateLimited),
        408 | 500.. => assert_eq!(kind, ErrorKind::Unavailable),
        // Nothing else may end a task's lifecycle.
        301 | 403 | 418 => assert_ne!(kind, ErrorKind::NotFound),
        _ => {}
    }
}

/// Returns errors of the API, of gateways and of proxies.
pub fn seeds() -> Vec<Vec<u8>> {
    let bodies = [
        "{\"error\": {\"code\": \"InvalidEndpointOrModel.NotFound\", \"message\": \"no task \\u0001\"}}",
        "{\"error\":{\"code\":\"RateLimitExceeded\",\"message\":\"slow down: \u{1}\"}}",
        "{\"ResponseMetadata\": {\"Error\": {\"CodeN\": 100004, \"Message\": \"\u{1}\"}}}",
        "<html>\u{1}</html>",
        "default backend - 404 very/SECRET+key2",
        "{\"code\": 500, \"msg\": \"very\\/SECRET+key2\"}",
        "upstream connect error \u{1}",
    ];
    let seeds = (0..).zip(bodies).map(|(index, body)| {
        let status = [index % STATUSES.len() as u8 + 3];
        let headers = [short(b"120"), short(b"0217f5-request")].concat();
        [&status, &headers[..], body.as_bytes()].concat()
    });
    seeds.collect()
}
