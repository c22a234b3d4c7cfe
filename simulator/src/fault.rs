//! Faults that are injected into the API.

use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime},
};

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Response},
};
use seedance_archiver_proto::time::unix_seconds;
use serde_json::json;

use crate::error::ApiError;

/// What is wrong with API calls.
#[derive(Clone, Debug, Default)]
pub(crate) struct Faults {
    /// What is wrong with every call.
    pub(crate) of_all: Option<Fault>,
    /// What is wrong with list requests, unless every call has a fault.
    pub(crate) of_lists: Option<Fault>,
    /// What is wrong with the queries of single tasks, by id, unless every call has a fault.
    pub(crate) of_tasks: BTreeMap<String, Fault>,
}

impl Faults {
    /// Returns what is wrong with a call. `subject`: the task id of a query, or `None` of a list. Other calls have none.
    pub(crate) fn of_call(&self, subject: Option<&Option<String>>) -> Option<Fault> {
        self.of_all.or_else(|| match subject? {
            Some(id) => self.of_tasks.get(id).copied(),
            None => self.of_lists,
        })
    }
}

/// What is wrong with an API call.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fault {
    /// 401: no API key is accepted.
    Unauthorized,
    /// 403: the API key may not do this.
    Forbidden,
    /// 429: the rate limit is exceeded.
    RateLimited {
        /// The `Retry-After` header, in seconds.
        retry_after: Option<u64>,
    },
    /// 500: an internal error.
    Unavailable,
    /// 503 with a `Retry-After` that is an HTTP date.
    Overloaded {
        /// How much later the date is, in seconds. Fractions of a second are dropped from the date.
        retry_after: u64,
    },
    /// 200 with an HTML page, as from a proxy.
    Page,
    /// 200 with the JSON of a gateway's error, which has a status.
    ErrorAs200,
    /// 200 with a truncated record.
    Truncated,
    /// 404 from an ingress that has no backend: plain text.
    NoBackend,
    /// 503 with a page of 2 MiB.
    LargePage,
    /// No response until the fault ends.
    NoResponse,
    /// The response is that of the time of the request, but it arrives when the fault ends.
    LateResponse,
}

impl Fault {
    /// Returns the response to a call at a time, or `None` if there is none before the fault ends.
    pub(crate) fn response(self, now: SystemTime) -> Option<Response> {
        Some(match self {
            Self::NoResponse | Self::LateResponse => return None,
            Self::Unauthorized => ApiError::unauthorized().into_response(),
            Self::Forbidden => ApiError::forbidden("the API key has no access").into_response(),
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
            Self::Overloaded { .. } => {
                let date = self.retry_after(now).map(httpdate::fmt_http_date);
                let headers = [(header::RETRY_AFTER, date.unwrap_or_default())];
                (StatusCode::SERVICE_UNAVAILABLE, headers).into_response()
            }
            Self::Page => Html("<html><body>welcome</body></html>").into_response(),
            Self::ErrorAs200 => {
                let body = json!({"status": "error", "message": "upstream timeout"});
                let json = HeaderValue::from_static("application/json");
                ([(header::CONTENT_TYPE, json)], body.to_string()).into_response()
            }
            Self::NoBackend => (StatusCode::NOT_FOUND, "default backend - 404").into_response(),
            Self::LargePage => {
                let page = format!("<html>{}</html>", " ".repeat(2 << 20));
                (StatusCode::SERVICE_UNAVAILABLE, Html(page)).into_response()
            }
            Self::Truncated => r#"{"id": "cgt-1", "status": "succ"#.into_response(),
        })
    }

    /// Returns the time in the `Retry-After` of the response to a call at a time, if it has one.
    pub(crate) fn retry_after(self, now: SystemTime) -> Option<SystemTime> {
        match self {
            Self::RateLimited { retry_after } => Some(now + Duration::from_secs(retry_after?)),
            Self::Overloaded { retry_after } => {
                let seconds = u64::try_from(unix_seconds(now)).unwrap_or_default() + retry_after;
                Some(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))
            }
            _ => None,
        }
    }
}
