//! Failures of workflows and activities.

use temporalio_common::error::IncomingError;

/// Returns the failure at the end of the cause chain.
pub(crate) fn root_cause(failure: &IncomingError) -> &IncomingError {
    failure.cause().map_or(failure, root_cause)
}
