//! The error of a call about a lifecycle.

use std::error::Error;

use temporalio_client::tonic::{Code, Status};
use temporalio_common::error::IncomingError;

use crate::temporal::error_text;

/// A lifecycle could not be started or described, or it ended without a result.
#[derive(Debug, thiserror::Error)]
#[error("{workflow_id}: {message}")]
pub struct LifecycleError {
    workflow_id: String,
    message: String,
    failure_type: Option<String>,
    is_transient: bool,
}

impl LifecycleError {
    pub(crate) fn new(workflow_id: &str, message: impl Into<String>) -> Self {
        Self {
            workflow_id: workflow_id.to_owned(),
            message: message.into(),
            failure_type: None,
            is_transient: false,
        }
    }

    /// Returns the error of a call that failed.
    pub(crate) fn from_call(workflow_id: &str, error: &(dyn Error + 'static)) -> Self {
        Self {
            is_transient: is_transient(error),
            ..Self::new(workflow_id, error_text::innermost(error))
        }
    }

    /// Returns the error of a workflow that failed.
    pub(crate) fn from_failure(workflow_id: &str, failure: &IncomingError) -> Self {
        Self {
            failure_type: Some(failure_type(failure)),
            ..Self::new(workflow_id, error_text::from_failure(failure))
        }
    }

    /// Returns the type of the failure that the workflow ended with, or `None` if the workflow did not fail.
    pub fn failure_type(&self) -> Option<&str> {
        self.failure_type.as_deref()
    }

    /// Returns whether Temporal could not be reached or was too busy, so that the same call may succeed later.
    pub(crate) fn is_transient(&self) -> bool {
        self.is_transient
    }

    /// Returns the message without the workflow id.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// Returns the message without the workflow id.
    pub(super) fn into_message(self) -> String {
        self.message
    }
}

/// Returns whether a call failed because of the connection or the load of the server.
fn is_transient(error: &(dyn Error + 'static)) -> bool {
    let Some(status) = error.downcast_ref::<Status>() else {
        return error.source().is_some_and(is_transient);
    };
    matches!(
        status.code(),
        Code::Unavailable
            | Code::Cancelled
            | Code::DeadlineExceeded
            | Code::ResourceExhausted
            | Code::Aborted
            | Code::Internal
            | Code::Unknown
    )
}

/// Returns the type of the innermost failure that has one.
fn failure_type(failure: &IncomingError) -> String {
    let cause_type = failure.cause().map(failure_type).unwrap_or_default();
    match failure {
        IncomingError::Application(failure) if cause_type.is_empty() => {
            failure.type_name().unwrap_or_default().to_owned()
        }
        _ => cause_type,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_connection_and_the_load_pass() {
        let passes = |status: Status| {
            LifecycleError::from_call("video-task/default/cgt-1", &status).is_transient()
        };
        assert!(passes(Status::unavailable("connection refused")));
        assert!(passes(Status::resource_exhausted("busy")));
        assert!(!passes(Status::permission_denied("no")));
        assert!(!passes(Status::not_found("no such workflow")));
        assert!(!LifecycleError::new("id", "unreadable result").is_transient());
    }
}
