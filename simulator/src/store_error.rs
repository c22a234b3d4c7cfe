//! Errors of the object store, in its XML format.

use axum::{
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};

use crate::signed_url::Refusal;

/// An error response of the object store.
#[derive(Debug)]
pub(crate) enum StoreError {
    AccessDenied(Refusal),
    NoSuchKey,
    InvalidRange,
}

impl IntoResponse for StoreError {
    fn into_response(self) -> Response {
        let (status, code, message) = match self {
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
            Self::InvalidRange => (
                StatusCode::RANGE_NOT_SATISFIABLE,
                "InvalidRange",
                "The requested range cannot be satisfied.",
            ),
        };
        let body = format!("<Error><Code>{code}</Code><Message>{message}</Message></Error>");
        (status, [(CONTENT_TYPE, "application/xml")], body).into_response()
    }
}
