//! Reads the failure of an activity: its verdict, type and message.

use seedance_archiver_proto::{external, names::failure, v1::Verdict};
use temporalio_common::error::IncomingError;
use temporalio_workflow::ActivityExecutionError;

/// Returns the verdict in the failure details: why retries cannot help.
pub(super) fn verdict(error: &ActivityExecutionError) -> Option<Verdict> {
    match error.reason() {
        Some(IncomingError::Application(failure)) => {
            let verdict: Option<Verdict> = failure.details().ok().flatten();
            verdict.filter(|verdict| !verdict.reason.is_empty())
        }
        _ => None,
    }
}

/// Returns whether the activity failed with `StoreConflict`.
pub(super) fn is_store_conflict(error: &ActivityExecutionError) -> bool {
    matches!(
        error.reason(),
        Some(IncomingError::Application(failure))
            if failure.type_name() == Some(failure::STORE_CONFLICT)
    )
}

/// Returns the failure message, bounded and without secrets, and without the text that the SDK adds to it.
pub(super) fn message(error: &ActivityExecutionError) -> String {
    let text = error
        .reason()
        .map_or_else(|| error.to_string(), ToString::to_string);
    external::message(&text)
}
