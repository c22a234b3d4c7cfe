//! What the error of an activity says about the task.

use seedance_archiver_proto::{names::failure, v1::Verdict};
use temporalio_common::error::IncomingError;
use temporalio_workflow::ActivityExecutionError;

/// Returns the verdict in the details of a failure: the activity found that retries cannot help, and why.
pub(super) fn verdict(error: &ActivityExecutionError) -> Option<Verdict> {
    match error.reason() {
        Some(IncomingError::Application(failure)) => {
            let verdict: Option<Verdict> = failure.details().ok().flatten();
            verdict.filter(|verdict| !verdict.reason.is_empty())
        }
        _ => None,
    }
}

/// Returns whether the archive holds a different video under the task's key.
pub(super) fn is_store_conflict(error: &ActivityExecutionError) -> bool {
    matches!(
        error.reason(),
        Some(IncomingError::Application(failure))
            if failure.type_name() == Some(failure::STORE_CONFLICT)
    )
}

/// Returns the message of the activity's failure, without the text that the SDK puts around it.
pub(super) fn message(error: &ActivityExecutionError) -> String {
    error
        .reason()
        .map_or_else(|| error.to_string(), ToString::to_string)
}
