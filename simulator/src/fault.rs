//! What the API answers while something is wrong with it.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Response},
};

use crate::error::ApiError;

/// A fault that every call meets.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fault {
    /// No key is accepted.
    Unauthorized,
    /// Every call is one too many.
    RateLimited {
        /// What `Retry-After` says, in seconds.
        retry_after: Option<u64>,
    },
    /// The service has a fault of its own.
    Unavailable,
    /// A proxy answers 200 with a page.
    Page,
    /// An error, with status 200.
    ErrorAs200,
    /// A record that ends in its middle.
    Truncated,
}

impl Fault {
    pub(crate) fn response(self) -> Response {
        match self {
            Self::Unauthorized => ApiError::unauthorized().into_response(),
            Self::RateLimited { retry_after } => {
                let mut response = ApiError::rate_limited().into_response();
                if let Some(seconds) = retry_after {
                    response
                        .headers_mut()
                        .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
                }
                response
            }
            Self::Unavailable => ApiError::unavailable().into_response(),
            Self::Page => Html("<html><body>welcome</body></html>").into_response(),
            Self::ErrorAs200 => {
                let mut response = ApiError::unavailable().into_response();
                *response.status_mut() = StatusCode::OK;
                response
            }
            Self::Truncated => r#"{"id": "cgt-1", "status": "succ"#.into_response(),
        }
    }
}
