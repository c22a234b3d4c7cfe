//! Errors of the task API, by what the caller can do about them.

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use seedance_archiver_proto::{names::failure, redact};

use crate::ReadSecretError;

/// Longest text of an error, in characters.
const MAX_TEXT: usize = 400;

/// What the caller can do about an error.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ErrorKind {
    /// The service returned 404: the task is too new, of another region or account, purged, or outside the
    /// query window.
    NotFound,
    /// The service returned 400 for the request.
    Rejected,
    /// The service did not accept the API key: an operator has to replace it.
    Unauthorized,
    /// The service returned 429: wait.
    RateLimited {
        /// The `Retry-After` of the response.
        retry_after: Option<Duration>,
    },
    /// This process has used up its own rate limit and sent no request: wait.
    Throttled,
    /// The service is unreachable or returned a server error: retry.
    Unavailable,
    /// The response is not what the API returns: retry.
    Unexpected,
    /// The service does not offer this call: retrying cannot help.
    Unsupported,
}

/// An error of the task API. Its text contains no key and no query of a URL.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{text}")]
pub struct Error {
    kind: ErrorKind,
    text: String,
}

impl From<ReadSecretError> for Error {
    fn from(error: ReadSecretError) -> Self {
        Self::new(ErrorKind::Unauthorized, format!("no API key: {error}"))
    }
}

impl Error {
    /// Returns an error. The text may quote the service: it is truncated, and URLs lose their queries.
    pub(crate) fn new(kind: ErrorKind, text: impl Into<String>) -> Self {
        let text = redact::url_queries(&text.into());
        Self {
            kind,
            text: text.chars().take(MAX_TEXT).collect(),
        }
    }

    /// Redacts the API key, in case the service repeated it.
    pub(crate) fn redacted(mut self, api_key: &SecretString) -> Self {
        let api_key = api_key.expose_secret();
        if !api_key.is_empty() {
            self.text = self.text.replace(api_key, "REDACTED");
        }
        self
    }

    pub(crate) fn with_request_id(mut self, id: &str) -> Self {
        self.text.push_str(&format!(" (request id {id})"));
        self
    }

    /// Returns what the caller can do.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Returns the `Retry-After` of the response.
    pub fn retry_after(&self) -> Option<Duration> {
        match self.kind {
            ErrorKind::RateLimited { retry_after } => retry_after,
            _ => None,
        }
    }

    /// Returns the public name of the failure that an activity reports for this error.
    pub fn failure_type(&self) -> &'static str {
        match self.kind {
            ErrorKind::NotFound => failure::TASK_NOT_FOUND,
            ErrorKind::Unauthorized => failure::UNAUTHORIZED,
            ErrorKind::RateLimited { .. } | ErrorKind::Throttled => failure::RATE_LIMITED,
            ErrorKind::Unavailable => failure::UPSTREAM_UNAVAILABLE,
            ErrorKind::Rejected | ErrorKind::Unexpected | ErrorKind::Unsupported => {
                failure::UNEXPECTED_RESPONSE
            }
        }
    }
}
