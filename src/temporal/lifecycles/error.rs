//! The error of a call about a lifecycle.

use std::error::Error;

use temporalio_common::error::IncomingError;

use crate::temporal::error_text;

/// A lifecycle could not be started or described, or it ended without a result.
#[derive(Debug, thiserror::Error)]
#[error("{workflow_id}: {message}")]
pub struct LifecycleError {
    workflow_id: String,
    message: String,
    failure_type: Option<String>,
}

impl LifecycleError {
    pub(crate) fn new(workflow_id: &str, message: impl Into<String>) -> Self {
        Self {
            workflow_id: workflow_id.to_owned(),
            message: message.into(),
            failure_type: None,
        }
    }

    /// Returns the error of a call that failed.
    pub(crate) fn from_call(workflow_id: &str, error: &(dyn Error + 'static)) -> Self {
        Self::new(workflow_id, error_text::innermost(error))
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

    /// Returns the message without the workflow id.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// Returns the message without the workflow id.
    pub(super) fn into_message(self) -> String {
        self.message
    }
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
