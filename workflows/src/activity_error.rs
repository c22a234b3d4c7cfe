//! Reads the failure of an activity: its verdict, type and message.

use seedance_archiver_proto::{external, v1::Verdict};
use temporalio_common::error::IncomingError;
use temporalio_workflow::ActivityExecutionError;

/// Returns the verdict in the failure details: why retries cannot help.
pub(crate) fn verdict(error: &ActivityExecutionError) -> Option<Verdict> {
    match error.reason() {
        Some(IncomingError::Application(failure)) => {
            let verdict: Option<Verdict> = failure.details().ok().flatten();
            verdict.filter(|verdict| !verdict.reason.is_empty())
        }
        _ => None,
    }
}

/// Returns the failure type, `None` if the failure is Temporal's own.
pub(crate) fn failure_type(error: &ActivityExecutionError) -> Option<&str> {
    match error.reason() {
        Some(IncomingError::Application(failure)) => failure.type_name(),
        _ => None,
    }
}

/// Returns the failure message, bounded and without secrets, and without the text that the SDK adds to it.
pub(crate) fn message(error: &ActivityExecutionError) -> String {
    let text = error
        .reason()
        .map_or_else(|| error.to_string(), ToString::to_string);
    external::message(&text)
}
