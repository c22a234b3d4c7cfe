//! Workflows that archive a video, in two ways.

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

/// Archives a video by an activity. If the workflow is cancelled, the waiting stops and the archiving continues.
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

/// Archives a video by a child workflow, which is part of the history. If the workflow is cancelled, the archiving
/// stops.
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
            // The child continues if this workflow ends first.
            .parent_close_policy(ParentClosePolicy::Abandon)
            .build();
        let lifecycle = VideoTaskLifecycle::default();
        match ctx.start_child_workflow(lifecycle, request, options).await {
            Ok(lifecycle) => Ok(lifecycle.result().await?),
            // A lifecycle was started elsewhere, e.g. by a callback: wait for it by the activity.
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
        // A lost video is a result, like every other outcome. Otherwise the activity fails.
        report_only: true,
        ..AwaitVideoTaskRequest::default()
    };
    // Waits until the video is archived or lost, up to three weeks: an attempt that times out is retried and
    // joins the same run.
    let fifteen_days = Duration::from_secs(15 * 24 * 60 * 60);
    let options = ActivityOptions::with_start_to_close_timeout(fifteen_days)
        .task_queue(names::TASK_QUEUE.to_owned())
        // Detects the loss of the archiver's worker.
        .heartbeat_timeout(Duration::from_secs(60))
        .build();
    let result = ctx.execute_activity(QueryActivities::await_video_task, request, options);
    Ok(result.await?)
}
