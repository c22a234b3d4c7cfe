//! Errors in the words of S3.

use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};

/// The token in the body of `Dialect::FailsAtLength`.
pub(crate) const SESSION_TOKEN: &str = "FwoGZXIvYXdzEJrSESSIONTOKEN";

pub(super) fn error(status: StatusCode, code: &str) -> Response {
    let body = format!("<Error><Code>{code}</Code><Message>{code}</Message></Error>");
    (status, body).into_response()
}

/// Returns the error of S3 for an expired session, with a filler beyond what Temporal accepts in a failure.
pub(super) fn long_error() -> Response {
    let filler = "<Filler>filler</Filler>".repeat(150_000);
    let body = format!(
        "<Error><Code>ExpiredToken</Code><Token-0>{SESSION_TOKEN}</Token-0>{filler}</Error>"
    );
    (StatusCode::BAD_REQUEST, body).into_response()
}
