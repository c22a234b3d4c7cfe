//! Whether another attempt can follow a cancelled one.

use std::time::Duration;

use seedance_archiver_workflows::VideoTaskLifecycle;
use temporalio_client::WorkflowDescribeOptions;
use temporalio_common::protos::temporal::api::enums::v1::PendingActivityState;
use temporalio_sdk::activities::{ActivityContext, ActivityError};
use tokio::time::timeout;

/// Timeout of the call that describes the workflow.
const DESCRIBE_TIMEOUT: Duration = Duration::from_secs(5);

/// Returns whether the server may start another attempt after this one, which was cancelled.
///
/// The SDK does not say why an attempt was cancelled: because the worker shuts down, the heartbeat timed out,
/// the activity was cancelled, or the workflow is closed. There is no further attempt if the activity was
/// cancelled or the workflow is closed. If the server does not respond, assumes that there may be one.
pub(super) async fn is_possible(ctx: &ActivityContext) -> bool {
    // The type is irrelevant: only `describe` is called.
    let Some(workflow) = ctx.workflow_handle::<VideoTaskLifecycle>() else {
        return true;
    };
    let describe = workflow.describe(WorkflowDescribeOptions::default());
    let Ok(Ok(description)) = timeout(DESCRIBE_TIMEOUT, describe).await else {
        return true;
    };
    let pending = &description.raw().pending_activities;
    pending.iter().any(|activity| {
        activity.activity_id == ctx.info().activity_id
            && activity.state() != PendingActivityState::CancelRequested
    })
}

/// Returns the failure of a cancelled attempt: that of one which is continued by another attempt if there may be one, for
/// example because the worker shuts down.
pub(super) async fn or_cancelled(
    ctx: &ActivityContext,
    continued: impl FnOnce() -> ActivityError,
) -> ActivityError {
    match is_possible(ctx).await {
        true => continued(),
        false => ActivityError::cancelled(),
    }
}
