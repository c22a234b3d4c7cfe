//! The error of a request that is not valid.

use seedance_archiver_proto::names::failure;
use temporalio_common::error::ApplicationFailure;

/// Why a request is not valid.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("`{field}` {problem}")]
pub struct InvalidRequest {
    /// The field that is wrong, as a path from the request.
    pub field: String,
    /// What is wrong with it; completes the sentence "`field` …".
    pub problem: String,
}

impl InvalidRequest {
    /// A fault in one field.
    pub fn new(field: impl Into<String>, problem: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            problem: problem.into(),
        }
    }
}

impl From<InvalidRequest> for ApplicationFailure {
    fn from(error: InvalidRequest) -> Self {
        ApplicationFailure::builder(error)
            .type_name(failure::INVALID_REQUEST.to_owned())
            .non_retryable(true)
            .build()
    }
}
