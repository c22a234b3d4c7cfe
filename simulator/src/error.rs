//! Errors of the task API, in its JSON format.

use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use serde_json::json;

const ERROR_CODE: HeaderName = HeaderName::from_static("x-error-code");

/// An error response: its status, code, message and parameter.
#[derive(Debug)]
pub(crate) struct ApiError {
    status: StatusCode,
    code: &'static str,
    message: String,
    param: String,
}

impl ApiError {
    pub(crate) fn unauthorized() -> Self {
        let message = "the API key in the request is missing or invalid";
        Self::new(StatusCode::UNAUTHORIZED, "AuthenticationError", message)
    }

    pub(crate) fn forbidden(message: &str) -> Self {
        Self::new(StatusCode::FORBIDDEN, "AccessDenied", message)
    }

    pub(crate) fn overdue() -> Self {
        let message = "the account has an overdue balance";
        Self::new(StatusCode::FORBIDDEN, "AccountOverdueError", message)
    }

    pub(crate) fn rate_limited() -> Self {
        let message = "the account has exceeded its rate limit";
        Self::new(
            StatusCode::TOO_MANY_REQUESTS,
            "RateLimitExceeded.Query",
            message,
        )
    }

    pub(crate) fn unavailable() -> Self {
        let message = "the service has an internal error";
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "InternalServiceError",
            message,
        )
    }

    pub(crate) fn missing(param: &str) -> Self {
        let message = format!("missing parameter `{param}`");
        Self::new(StatusCode::BAD_REQUEST, "MissingParameter", message).with_param(param)
    }

    pub(crate) fn invalid(param: &str, problem: &str) -> Self {
        let message = format!("invalid parameter `{param}`: {problem}");
        Self::new(StatusCode::BAD_REQUEST, "InvalidParameter", message).with_param(param)
    }

    pub(crate) fn task_not_found(id: &str) -> Self {
        let message = format!("task `{id}` not found");
        Self::new(StatusCode::NOT_FOUND, "NotFound.Task", message)
    }

    pub(crate) fn unknown_path(path: &str) -> Self {
        let message = format!("no such API: `{path}`");
        Self::new(StatusCode::NOT_FOUND, "NotFound.Action", message)
    }

    pub(crate) fn not_deletable(id: &str, status: &str) -> Self {
        let message = format!("cannot cancel or delete task `{id}`: its status is `{status}`");
        Self::new(StatusCode::CONFLICT, "InvalidAction.TaskStatus", message)
    }

    fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            param: String::new(),
        }
    }

    fn with_param(self, param: &str) -> Self {
        Self {
            param: param.to_owned(),
            ..self
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let kind = self.status.canonical_reason().unwrap_or_default();
        let body = json!({"error": {
            "code": self.code, "message": self.message, "param": self.param,
            "type": kind.replace(' ', ""),
        }});
        let headers = [
            (CONTENT_TYPE, HeaderValue::from_static("application/json")),
            (ERROR_CODE, HeaderValue::from_static(self.code)),
        ];
        (self.status, headers, Body::from(body.to_string())).into_response()
    }
}
