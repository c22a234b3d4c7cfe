//! Workflows of yours that need a video in the archive, in two ways.

use std::time::Duration;

use seedance_archiver_proto::{
    names,
    v1::{AwaitVideoTaskRequest, VideoTaskLifecycleRequest, VideoTaskLifecycleResult},
};
use seedance_archiver_workflows::{VideoTaskLifecycle, activities::QueryActivities, reply::Reply};
use temporalio_common::error::StartChildWorkflowExecutionFailedCause::WorkflowAlreadyExists;
use temporalio_macros::{workflow, workflow_methods};
use temporalio_sdk::{
    ActivityOptions, ChildWorkflowOptions, ChildWorkflowStartError, ParentClosePolicy,
    WorkflowContext, WorkflowResult,
};

/// By an activity: cancelling it stops the waiting, not the archive.
#[workflow]
#[derive(Default)]
pub(crate) struct AwaitVideo;

#[workflow_methods]
impl AwaitVideo {
    #[run]
    pub(crate) async fn run(
        ctx: &mut WorkflowContext<Self>,
        task_id: String,
    ) -> WorkflowResult<Reply<VideoTaskLifecycleResult>> {
        await_video(ctx, task_id).await
    }
}

/// By a child workflow: it is in the history, and cancelling it stops the archive.
#[workflow]
#[derive(Default)]
pub(crate) struct ArchiveAsChild;

#[workflow_methods]
impl ArchiveAsChild {
    #[run]
    pub(crate) async fn run(
        ctx: &mut WorkflowContext<Self>,
        task_id: String,
    ) -> WorkflowResult<Reply<VideoTaskLifecycleResult>> {
        let request = VideoTaskLifecycleRequest {
            task_id: task_id.clone(),
            report_only: true,
            ..VideoTaskLifecycleRequest::default()
        };
        let options = ChildWorkflowOptions::builder()
            .workflow_id(names::lifecycle_workflow_id(
                names::DEFAULT_ACCOUNT,
                &task_id,
            ))
            .task_queue(names::TASK_QUEUE.to_owned())
            // It goes on where this workflow ends first.
            .parent_close_policy(ParentClosePolicy::Abandon)
            .build();
        let lifecycle = VideoTaskLifecycle::default();
        match ctx.start_child_workflow(lifecycle, request, options).await {
            Ok(lifecycle) => Ok(lifecycle.result().await?),
            // Somebody else's, a callback's perhaps: a workflow awaits it by the activity.
            Err(ChildWorkflowStartError::StartFailed {
                cause: WorkflowAlreadyExists,
                ..
            }) => await_video(ctx, task_id).await,
            Err(error) => Err(error.into()),
        }
    }
}

async fn await_video<W>(
    ctx: &WorkflowContext<W>,
    task_id: String,
) -> WorkflowResult<Reply<VideoTaskLifecycleResult>> {
    let request = AwaitVideoTaskRequest {
        task_id,
        // A lost video is told in the result, as every other ending. Without it, it is a failure.
        report_only: true,
        ..AwaitVideoTaskRequest::default()
    };
    // One attempt may wait for as long as a video can take.
    let fifteen_days = Duration::from_secs(15 * 24 * 60 * 60);
    let options = ActivityOptions::with_start_to_close_timeout(fifteen_days)
        .task_queue(names::TASK_QUEUE.to_owned())
        // It is how the loss of a worker is noticed.
        .heartbeat_timeout(Duration::from_secs(60))
        .build();
    let result = ctx.execute_activity(QueryActivities::await_video_task, request, options);
    Ok(result.await?)
}
