//! The error in an unsuccessful response.

use std::time::SystemTime;

use reqwest::{StatusCode, header::HeaderMap};
use seedance_archiver_http::retry_after;

use crate::{Error, ErrorKind, ErrorMeaning, decode, error_body::ErrorBody, json};

/// Maximum size of the response to an unsuccessful call that is read. Errors have a few hundred bytes, pages of
/// proxies some kilobytes; the status counts whatever follows.
const MAX_ERROR: usize = 1024 * 1024;

/// Reads the body of an unsuccessful response, as far as it comes: the status counts without it.
pub(crate) async fn read(mut response: reqwest::Response) -> Vec<u8> {
    let mut body = Vec::new();
    while body.len() < MAX_ERROR
        && let Ok(Some(chunk)) = response.chunk().await
    {
        body.extend_from_slice(&chunk);
    }
    body
}

/// Returns the error of an unsuccessful response: the status decides its kind, and the body its text. A 400, 403 or 404
/// whose body is not an error of the API comes from something on the way to it.
pub(crate) fn error_from(
    status: StatusCode,
    headers: &HeaderMap,
    body: &[u8],
    now: SystemTime,
) -> Error {
    let error = ErrorBody::read(body);
    let is_about_task = error.as_ref().is_some_and(ErrorBody::is_about_task);
    let by_code = error.as_ref().map(decode::kind_of);
    let meaning = error.as_ref().and_then(ErrorBody::meaning_for_request);
    let kind = match status {
        StatusCode::NOT_FOUND | StatusCode::GONE if is_about_task => ErrorKind::NotFound,
        StatusCode::UNAUTHORIZED => ErrorKind::Unauthorized,
        StatusCode::FORBIDDEN if by_code == Some(ErrorKind::RateLimited) => ErrorKind::RateLimited,
        StatusCode::FORBIDDEN if error.is_some() => ErrorKind::Unauthorized,
        StatusCode::TOO_MANY_REQUESTS => ErrorKind::RateLimited,
        StatusCode::BAD_REQUEST => match by_code {
            Some(ErrorKind::Unexpected)
                if is_about_task || meaning == Some(ErrorMeaning::Invalid) =>
            {
                ErrorKind::Rejected
            }
            Some(ErrorKind::Unexpected) | None => ErrorKind::Unavailable,
            Some(kind) => kind,
        },
        StatusCode::NOT_FOUND | StatusCode::GONE | StatusCode::FORBIDDEN => ErrorKind::Unavailable,
        StatusCode::REQUEST_TIMEOUT => ErrorKind::Unavailable,
        status if status.is_server_error() => ErrorKind::Unavailable,
        _ => ErrorKind::Unexpected,
    };
    let text = match (error, body.trim_ascii().is_empty()) {
        (Some(error), _) => error.text(),
        (None, true) => String::new(),
        (None, false) => format!("with a body that is not the API's: {}", excerpt(body)),
    };
    let text = format!("HTTP {} {text}", status.as_u16());
    Error::new(kind, text.trim_end())
        .with_retry_after(retry_after(headers, now))
        .with_status(status.as_u16())
        .with_meaning(meaning)
}

/// Returns the beginning of a body that is not JSON, so that an operator can see who sent it.
fn excerpt(body: &[u8]) -> String {
    const MAX_EXCERPT: usize = 60;
    let text = json::text(body);
    if text.starts_with('<') {
        return "an HTML page".to_owned();
    }
    let words: Vec<_> = text.split_whitespace().collect();
    let text: String = words.join(" ").chars().take(MAX_EXCERPT).collect();
    format!("{text:?}")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn headers(name: &'static str, value: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(name, value.parse().unwrap());
        headers
    }

    fn error(status: StatusCode, body: &[u8]) -> Error {
        error_from(status, &HeaderMap::new(), body, SystemTime::UNIX_EPOCH)
    }

    #[test]
    fn the_status_decides_the_kind() {
        let kind = |status| {
            let status = StatusCode::from_u16(status).unwrap();
            error(status, b"<html>").kind()
        };
        assert_eq!(kind(401), ErrorKind::Unauthorized);
        assert_eq!(kind(418), ErrorKind::Unexpected);
        assert_eq!(kind(429), ErrorKind::RateLimited);
        assert_eq!(kind(503), ErrorKind::Unavailable);
        for status in [400, 403, 404, 410] {
            assert_eq!(kind(status), ErrorKind::Unavailable, "{status}");
        }
    }

    #[test]
    fn only_an_error_of_the_api_is_about_the_task_or_the_request() {
        let body = br#"{"error": {"code": "SomeCode", "message": "why"}}"#;
        for (status, kind) in [
            (400, ErrorKind::Rejected),
            (403, ErrorKind::Unauthorized),
            (404, ErrorKind::NotFound),
            (410, ErrorKind::NotFound),
        ] {
            let status = StatusCode::from_u16(status).unwrap();
            assert_eq!(error(status, body).kind(), kind, "{status}");
        }
        for body in [
            &b"default backend - 404"[..],
            b"404 page not found",
            b"<html>404</html>",
            b"",
            br#"{"message": "no Route matched with those values"}"#,
        ] {
            let error = error(StatusCode::NOT_FOUND, body);
            assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
        }
        for body in [
            &br#"{"error": {"message": "upstream request failed", "type": "proxy_error"}}"#[..],
            br#"{"message": "no Route matched with those values"}"#,
        ] {
            let error = error(StatusCode::BAD_REQUEST, body);
            assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
        }
        let malformed =
            br#"{"error": {"code": "InvalidParameter", "message": "id in the path is malformed"}}"#;
        let error_of_id = error(StatusCode::BAD_REQUEST, malformed);
        assert_eq!(error_of_id.kind(), ErrorKind::Rejected);
        let ingress = error(StatusCode::NOT_FOUND, b"default backend - 404").to_string();
        assert_eq!(
            ingress,
            "HTTP 404 with a body that is not the API's: \"default backend - 404\""
        );
    }

    #[test]
    fn the_code_decides_where_the_status_does_not() {
        let kind = |status, code: &str| {
            let body = format!(r#"{{"error": {{"code": "{code}", "message": "why"}}}}"#);
            error(status, body.as_bytes()).kind()
        };
        let (bad, forbidden) = (StatusCode::BAD_REQUEST, StatusCode::FORBIDDEN);
        assert_eq!(kind(bad, "task_not_exist"), ErrorKind::NotFound);
        assert_eq!(kind(bad, "RateLimitExceeded.Rpm"), ErrorKind::RateLimited);
        assert_eq!(kind(bad, "InvalidParameter.Id"), ErrorKind::Rejected);
        assert_eq!(kind(forbidden, "QuotaExceeded"), ErrorKind::RateLimited);
    }

    #[test]
    fn a_delay_is_requested_with_any_status() {
        let headers = headers("retry-after", "7");
        let error = error_from(
            StatusCode::SERVICE_UNAVAILABLE,
            &headers,
            b"",
            SystemTime::UNIX_EPOCH,
        );
        assert_eq!(error.retry_after(), Some(Duration::from_secs(7)));
    }

    #[test]
    fn an_error_quotes_the_service() {
        let body = br#"{"error": {"code": "AuthenticationError", "message": "invalid key"}}"#;
        assert_eq!(
            error(StatusCode::UNAUTHORIZED, body).to_string(),
            "HTTP 401 AuthenticationError: invalid key"
        );
        let page = error(StatusCode::BAD_GATEWAY, b"<html>nginx</html>");
        assert_eq!(
            page.to_string(),
            "HTTP 502 with a body that is not the API's: an HTML page"
        );
    }
}
