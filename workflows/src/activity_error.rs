//! Reads the failure of an activity: its verdict, type and message, and how the workflow ends with it.

use seedance_archiver_proto::{external, v1::Verdict};
use temporalio_common::error::IncomingError;
use temporalio_workflow::{ActivityExecutionError, WorkflowContext, WorkflowTermination};

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

/// Returns how a workflow ends whose activity failed: as cancelled if it was cancelled. The attempt that was in progress may
/// have failed with something else, for example because its worker shut down, and the server starts no further one.
pub(crate) fn termination<W>(
    ctx: &WorkflowContext<W>,
    error: ActivityExecutionError,
) -> WorkflowTermination {
    match ctx.cancellation_token().is_cancelled() {
        true => WorkflowTermination::cancelled(),
        false => error.into(),
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
