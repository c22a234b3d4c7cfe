//! Whether another attempt will go on with what this one has begun.

use std::time::Duration;

use seedance_archiver_workflows::VideoTaskLifecycle;
use temporalio_client::WorkflowDescribeOptions;
use temporalio_common::protos::temporal::api::enums::v1::PendingActivityState;
use temporalio_sdk::activities::ActivityContext;
use tokio::time::timeout;

/// Longest time to find out.
const PATIENCE: Duration = Duration::from_secs(5);

/// Whether there will be one, for an attempt that was told to stop. It is not told why: because its
/// worker shuts down, because the server believes it dead, or because nobody wants it any more. Where
/// the server does not say, there may be one.
pub(super) async fn may_go_on(ctx: &ActivityContext) -> bool {
    let Some(workflow) = ctx.workflow_handle::<VideoTaskLifecycle>() else {
        return true;
    };
    let describe = workflow.describe(WorkflowDescribeOptions::default());
    let Ok(Ok(description)) = timeout(PATIENCE, describe).await else {
        return true;
    };
    let pending = &description.raw().pending_activities;
    pending.iter().any(|activity| {
        activity.activity_id == ctx.info().activity_id
            && activity.state() != PendingActivityState::CancelRequested
    })
}
