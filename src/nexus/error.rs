//! The errors of the service, by what the caller's server does about them.

use seedance_archiver_proto::external;
use seedance_archiver_workflows::invalid_request::InvalidRequest;
use temporalio_client::tonic::{Code, Status};

use crate::temporal::error_text;

/// Part of the message of a server that a lifecycle has as many callers as it may have.
const TOO_MANY_CALLERS: &str = "callbacks already attached";

/// Why a request failed. The names of the variants are those of Nexus.
#[derive(Debug, PartialEq, thiserror::Error)]
pub(crate) enum HandlerError {
    /// The request is invalid. Not retried.
    #[error("{0}")]
    BadRequest(String),
    /// The service, the operation or the task does not exist. Not retried.
    #[error("{0}")]
    NotFound(String),
    /// The request was rejected for a reason that no retry changes. Not retried.
    #[error("{0}")]
    Internal(String),
    /// A limit is exhausted. The caller's server retries.
    #[error("{0}")]
    ResourceExhausted(String),
    /// Something that the request needs is unavailable. The caller's server retries.
    #[error("{0}")]
    Unavailable(String),
}

impl HandlerError {
    /// Returns the type of the error, as Nexus names it.
    pub(crate) fn error_type(&self) -> &'static str {
        match self {
            Self::BadRequest(_) => "BAD_REQUEST",
            Self::NotFound(_) => "NOT_FOUND",
            Self::Internal(_) => "INTERNAL",
            Self::ResourceExhausted(_) => "RESOURCE_EXHAUSTED",
            Self::Unavailable(_) => "UNAVAILABLE",
        }
    }

    /// Returns whether the caller's server sends the request again.
    pub(crate) fn is_retryable(&self) -> bool {
        matches!(self, Self::ResourceExhausted(_) | Self::Unavailable(_))
    }

    /// Returns the message for the caller, bounded and without secrets.
    pub(crate) fn message(&self) -> String {
        external::message(&self.to_string())
    }

    /// Returns the error of a request that Temporal did not carry out. `failed` says what failed.
    pub(super) fn from_status(failed: &str, status: &Status) -> Self {
        let message = format!("{failed}: {}", error_text::innermost(status));
        match status.code() {
            // A lifecycle accepts a limited number of callers. The next ones join once it has ended.
            Code::ResourceExhausted | Code::FailedPrecondition => Self::ResourceExhausted(message),
            // So says server 1.29 of the same limit.
            Code::InvalidArgument if status.message().contains(TOO_MANY_CALLERS) => {
                Self::ResourceExhausted(message)
            }
            Code::InvalidArgument | Code::Unimplemented => Self::Internal(message),
            _ => Self::Unavailable(message),
        }
    }
}

impl From<InvalidRequest> for HandlerError {
    fn from(error: InvalidRequest) -> Self {
        Self::BadRequest(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_overloaded_or_unavailable_server_is_asked_again() {
        let error = |status| HandlerError::from_status("cannot start the lifecycle", &status);
        for status in [
            Status::unavailable(""),
            Status::deadline_exceeded(""),
            Status::permission_denied(""),
            Status::resource_exhausted("namespace rate limit exceeded"),
            Status::failed_precondition("cannot attach more than 32 callbacks to a workflow"),
            Status::invalid_argument(
                "cannot attach more than 32 callbacks to a workflow (32 callbacks already attached)",
            ),
        ] {
            assert!(error(status.clone()).is_retryable(), "{status}");
        }
        let rejected = error(Status::invalid_argument("no such field"));
        assert!(!rejected.is_retryable());
        assert_eq!(
            rejected.message(),
            "cannot start the lifecycle: no such field"
        );
    }
}
