//! Errors of the task API, classified by how to react.

use std::{fmt, time::Duration};

use seedance_archiver_proto::{external, names::failure, redact};

use crate::{ReadSecretError, repeated_secrets::RepeatedSecrets};

/// Maximum length before the request id is appended, in characters.
const MAX_TEXT: usize = 400;

/// The kind of an error, which decides whether and when to retry.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ErrorKind {
    /// The service returned 404 or 410 with an error of the API, or an error that says so: the task is too new, belongs to another region or account, was purged,
    /// or is outside the query window.
    NotFound,
    /// The service returned 400: it rejected the request.
    Rejected,
    /// The service returned 401 or 403, or the key cannot be read: an operator has to replace the key.
    Unauthorized,
    /// The service returned 429: wait.
    RateLimited,
    /// This process used up its own rate limit and sent no request: wait. With [`Error::retry_after`], only for this task:
    /// the service asked to wait, in a response to another request.
    Throttled,
    /// The service is unreachable or returned a server error, or something on the way answered in its place: retry.
    Unavailable,
    /// The response is not what the API returns: retry.
    Unexpected,
    /// The service does not offer this call: retrying cannot help.
    Unsupported,
}

/// What came back for a call that failed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum CallAnswer {
    /// The request was not sent.
    NotSent,
    /// The request may have been sent, and no complete response came back.
    Nothing,
    /// A response.
    Response {
        /// HTTP status.
        status: u16,
        /// What the error in the body means, if the body has the form of the API's errors.
        error: Option<ErrorMeaning>,
    },
}

/// What the code of an error of the API means.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ErrorMeaning {
    /// Requests come too fast, or the service is overloaded.
    RateLimited,
    /// The key is not accepted.
    Unauthorized,
    /// The request is invalid, or its content is not allowed.
    Invalid,
    /// Something else.
    Other,
}

/// An error of the task API. Its text is bounded, and contains neither the API key nor another secret.
#[derive(Clone, Debug)]
pub struct Error {
    kind: ErrorKind,
    /// The text in full: the API key must be redacted before the text is truncated.
    text: String,
    request_id: Option<String>,
    retry_after: Option<Duration>,
    /// What an operator can do. Empty if nothing is known.
    fix: &'static str,
    is_sent: bool,
    /// Status of a response that was received in full.
    status: Option<u16>,
    meaning: Option<ErrorMeaning>,
}

impl std::error::Error for Error {}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&external::line(&self.text, MAX_TEXT))?;
        if let Some(id) = &self.request_id {
            write!(f, " (request id {id})")?;
        }
        match self.fix {
            "" => Ok(()),
            fix => write!(f, "; {fix}"),
        }
    }
}

impl From<ReadSecretError> for Error {
    fn from(error: ReadSecretError) -> Self {
        Self::new(ErrorKind::Unauthorized, format!("no API key: {error}"))
    }
}

impl Error {
    /// Returns an error. The text may quote the service: secrets are removed, and it is truncated when it is
    /// displayed.
    pub(crate) fn new(kind: ErrorKind, text: impl Into<String>) -> Self {
        Self {
            kind,
            text: redact::secrets(&text.into()).into_owned(),
            request_id: None,
            retry_after: None,
            fix: "",
            is_sent: true,
            status: None,
            meaning: None,
        }
    }

    /// Says that the request was not sent.
    pub(crate) fn not_sent(mut self) -> Self {
        self.is_sent = false;
        self
    }

    /// Sets the status of the response.
    pub(crate) fn with_status(mut self, status: u16) -> Self {
        self.status = Some(status);
        self
    }

    /// Sets what the error in the body means.
    pub(crate) fn with_meaning(mut self, meaning: Option<ErrorMeaning>) -> Self {
        self.meaning = meaning;
        self
    }

    /// Returns what came back for the call.
    pub fn answer(&self) -> CallAnswer {
        match self.status {
            _ if !self.is_sent => CallAnswer::NotSent,
            None => CallAnswer::Nothing,
            Some(status) => CallAnswer::Response {
                status,
                error: self.meaning,
            },
        }
    }

    /// Redacts the API keys, in case the service repeated one.
    pub(crate) fn redacted(mut self, keys: &RepeatedSecrets) -> Self {
        self.text = keys.redact(self.text);
        self
    }

    pub(crate) fn with_request_id(mut self, id: &str) -> Self {
        self.request_id = Some(external::quote(id));
        self
    }

    /// Appends what an operator can do.
    pub(crate) fn with_fix(mut self, fix: &'static str) -> Self {
        self.fix = fix;
        self
    }

    pub(crate) fn with_retry_after(mut self, retry_after: Option<Duration>) -> Self {
        self.retry_after = retry_after;
        self
    }

    /// Returns the kind, which decides whether and when to retry.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Returns how long the service asked to wait, if it did.
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// Returns the failure type that an activity reports for this error.
    pub fn failure_type(&self) -> &'static str {
        match self.kind {
            ErrorKind::NotFound => failure::TASK_NOT_FOUND,
            ErrorKind::Unauthorized => failure::UNAUTHORIZED,
            ErrorKind::RateLimited | ErrorKind::Throttled => failure::RATE_LIMITED,
            ErrorKind::Unavailable => failure::UPSTREAM_UNAVAILABLE,
            ErrorKind::Rejected | ErrorKind::Unexpected | ErrorKind::Unsupported => {
                failure::UNEXPECTED_RESPONSE
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_message_contains_no_part_of_the_api_key() {
        let key = "very-secret-key";
        let keys = RepeatedSecrets::new(key.into(), Vec::new());
        for before in MAX_TEXT - key.len()..=MAX_TEXT {
            let text = format!("{}{key} was refused", "x".repeat(before));
            let error = Error::new(ErrorKind::Unauthorized, text).redacted(&keys);
            let shown = error.with_request_id("r-1").to_string();
            assert!(!shown.contains('v'), "key at {before}: {shown}");
            assert!(shown.ends_with(" (request id r-1)"), "{shown}");
        }
    }
}
