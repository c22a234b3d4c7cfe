//! Decides by its status and its body what an error response means. Hosts use many statuses for an expired URL, and
//! some return an error with status 200.

use reqwest::StatusCode;

use super::error_body::ErrorBody;

/// Words in a body that mean that the URL does not work any more. They are compared without case, spaces and
/// punctuation.
const URL_WORDS: [&str; 24] = [
    "expired",
    "accessdenied",
    "requesttimetooskewed",
    "signaturedoesnotmatch",
    "signaturenotmatch",
    "signaturemismatch",
    "invalidsignature",
    "signatureinvalid",
    "authenticationfailed",
    "authfail",
    "authorizationqueryparameterserror",
    "notauthorized",
    "unauthorized",
    "permissiondenied",
    "invalidaccesskey",
    "invalidtoken",
    "invalidsecuritytoken",
    "nosuchkey",
    "nosuchbucket",
    "nosuchobject",
    "blobnotfound",
    "objectnotexist",
    "containernotfound",
    "filenotfound",
];
/// Words that mean that the video does not exist yet.
const NOT_READY_WORDS: [&str; 7] = [
    "notready",
    "notyet",
    "processing",
    "inprogress",
    "beinggenerated",
    "stillgenerating",
    "pending",
];
/// Phrases of unspecific errors, which contain words of [`NOT_READY_WORDS`].
const UNSPECIFIC: [&str; 4] = [
    "processingyour",
    "processingthe",
    "processingrequest",
    "processingarequest",
];

/// What an error response means.
#[derive(Clone, Debug, PartialEq)]
pub enum Refusal {
    /// The URL does not work any more: another one may.
    Url(String),
    /// The video does not exist yet: the same URL will work later.
    NotReady(String),
    /// The host failed: retry.
    Failed(String),
}

impl Refusal {
    /// Classifies a response with an unsuccessful status, or with the body of an error.
    pub fn new(status: StatusCode, body: &[u8]) -> Self {
        let body = ErrorBody::new(body);
        let text = match &body.code {
            Some(code) => format!("HTTP {} {code}", status.as_u16()),
            None => format!("HTTP {}", status.as_u16()),
        };
        let words = body.words();
        let contains = |list: &[&str]| list.iter().any(|word| words.contains(word));
        if contains(&URL_WORDS) && !is_temporary(status) {
            Self::Url(text)
        } else if contains(&NOT_READY_WORDS) && !contains(&UNSPECIFIC) {
            Self::NotReady(text)
        } else if status.is_client_error() && !is_temporary(status) {
            Self::Url(text)
        } else {
            Self::Failed(text)
        }
    }
}

/// Returns whether a client error says nothing about the URL.
fn is_temporary(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::REQUEST_TIMEOUT
            | StatusCode::RANGE_NOT_SATISFIABLE
            | StatusCode::MISDIRECTED_REQUEST
            | StatusCode::TOO_EARLY
            | StatusCode::TOO_MANY_REQUESTS
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(status: u16, body: &str) -> Refusal {
        Refusal::new(StatusCode::from_u16(status).unwrap(), body.as_bytes())
    }

    #[test]
    fn an_unusable_url_is_recognized_by_any_status() {
        for (status, body, text) in [
            (403, "", "HTTP 403"),
            (
                400,
                "<Error><Code>ExpiredToken</Code></Error>",
                "HTTP 400 ExpiredToken",
            ),
            (
                400,
                "{\"code\": \"RequestExpired\"}",
                "HTTP 400 RequestExpired",
            ),
            (
                400,
                "{\"Error\":{\"Code\":\"InvalidSignature\"}}",
                "HTTP 400 InvalidSignature",
            ),
            (400, "", "HTTP 400"),
            (401, "{\"error\": {\"code\": 40103}}", "HTTP 401 40103"),
            (
                404,
                "<?xml version='1.0'?><Error><Code>NoSuchKey</Code>",
                "HTTP 404 NoSuchKey",
            ),
            (410, "gone", "HTTP 410"),
            (412, "", "HTTP 412"),
            (451, "", "HTTP 451"),
            (
                200,
                "<Error><Code>AccessDenied</Code></Error>",
                "HTTP 200 AccessDenied",
            ),
            (200, "{\"message\": \"Request has expired\"}", "HTTP 200"),
            (
                500,
                "<Error><Code>RequestTimeTooSkewed</Code></Error>",
                "HTTP 500 RequestTimeTooSkewed",
            ),
            (
                503,
                "{\"error_code\": \"url_expired\"}",
                "HTTP 503 url_expired",
            ),
            (
                403,
                "An error occurred while processing your request",
                "HTTP 403",
            ),
        ] {
            assert_eq!(
                refusal(status, body),
                Refusal::Url(text.into()),
                "{status} {body}"
            );
        }
    }

    #[test]
    fn a_video_that_is_not_ready_is_no_reason_for_another_url() {
        for (status, body) in [
            (
                404,
                "{\"error\": {\"code\": \"video_not_ready\", \"message\": \"try again\"}}",
            ),
            (409, "the video is not ready"),
            (404, "<Error><Code>Processing</Code></Error>"),
            (200, "{\"status\": \"processing\"}"),
            (423, "generation in progress"),
        ] {
            assert!(
                matches!(refusal(status, body), Refusal::NotReady(_)),
                "{status} {body}"
            );
        }
    }

    #[test]
    fn a_failure_of_the_host_is_retried() {
        for (status, body) in [
            (408, ""),
            (421, ""),
            (425, ""),
            (429, "<Error><Code>AccessDenied.QpsLimit</Code></Error>"),
            (500, "<html><title>Error</title></html>"),
            (502, "An error occurred while processing your request"),
            (503, "<Error><Code>SlowDown</Code></Error>"),
            (302, ""),
            (304, ""),
        ] {
            assert!(
                matches!(refusal(status, body), Refusal::Failed(_)),
                "{status} {body}"
            );
        }
    }
}
