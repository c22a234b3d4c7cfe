//! The error of an invalid request.

use seedance_archiver_proto::{external, names::failure};
use temporalio_common::error::ApplicationFailure;

/// Maximum length of the path of a field, in characters.
const MAX_FIELD: usize = 200;

/// An error in a request.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("`{field}` {problem}")]
pub struct InvalidRequest {
    /// The path of the invalid field, e.g. `task.created_at`, or `input` for the whole request.
    pub field: String,
    /// The problem. A predicate after the name of the field, e.g. `must be a URL`.
    pub problem: String,
}

impl InvalidRequest {
    /// Returns the error of one field. Both texts may quote the request.
    pub fn new(field: impl Into<String>, problem: impl Into<String>) -> Self {
        Self {
            field: external::line(&field.into(), MAX_FIELD),
            problem: external::quote(&problem.into()),
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
