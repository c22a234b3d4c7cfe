//! Errors of the object store, in its XML format.

use axum::{
    http::{
        HeaderValue, StatusCode,
        header::{CONTENT_RANGE, CONTENT_TYPE, RETRY_AFTER},
    },
    response::{IntoResponse, Response},
};

use crate::signed_url::Refusal;

/// An error response of the object store.
#[derive(Debug)]
pub(crate) enum StoreError {
    AccessDenied(Refusal),
    NoSuchKey,
    /// The range is outside of an object of this size.
    InvalidRange(u64),
    /// A refusal of another host, with its status and code.
    Refused(StatusCode, String),
    /// The host is busy, with its status and the value of `Retry-After`.
    Busy(StatusCode, Option<u64>),
}

impl IntoResponse for StoreError {
    fn into_response(self) -> Response {
        let (status, code, message) = match &self {
            Self::AccessDenied(Refusal::Tampered) => (
                StatusCode::FORBIDDEN,
                "AccessDenied",
                "The request signature does not match.",
            ),
            Self::AccessDenied(Refusal::Expired) => (
                StatusCode::FORBIDDEN,
                "AccessDenied",
                "Request has expired.",
            ),
            Self::NoSuchKey => (
                StatusCode::NOT_FOUND,
                "NoSuchKey",
                "The specified key does not exist.",
            ),
            Self::InvalidRange(_) => (
                StatusCode::RANGE_NOT_SATISFIABLE,
                "InvalidRange",
                "The requested range cannot be satisfied.",
            ),
            Self::Refused(status, code) => (*status, code.as_str(), "The request was refused."),
            Self::Busy(status, _) => (*status, "SlowDown", "Please reduce your request rate."),
        };
        let body = format!("<Error><Code>{code}</Code><Message>{message}</Message></Error>");
        let mut response = (status, [(CONTENT_TYPE, "application/xml")], body).into_response();
        let header = match self {
            Self::InvalidRange(size) => Some((CONTENT_RANGE, format!("bytes */{size}"))),
            Self::Busy(_, retry_after) => retry_after.map(|it| (RETRY_AFTER, it.to_string())),
            _ => None,
        };
        if let Some((name, value)) = header
            && let Ok(value) = HeaderValue::try_from(value)
        {
            response.headers_mut().insert(name, value);
        }
        response
    }
}
