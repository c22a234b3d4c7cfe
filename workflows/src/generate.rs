//! The workflow `GenerateVideo`.

// The constants that the macro generates have no documentation.
#![allow(missing_docs)]

use seedance_archiver_proto::{
    names::GENERATE_WORKFLOW,
    outcome,
    reason::SUBMISSION_AMBIGUOUS,
    v1::{
        AwaitVideoTaskRequest, CreateVideoTaskRequest, CreateVideoTaskResult, GenerateVideoRequest,
        GenerateVideoResult, VideoTaskLifecycleResult,
    },
};
use temporalio_common::error::ApplicationFailure;
use temporalio_macros::{workflow, workflow_methods};
use temporalio_workflow::{WorkflowContext, WorkflowResult};

use crate::{
    activities::QueryActivities, activity_error, details, options, reply::Reply, request::Request,
    video_lost,
};

/// Creates a generation task and waits until its video is archived.
///
/// Cancelling the workflow stops the waiting. A task that was created goes on, and so does its lifecycle, which archives the
/// video.
#[workflow]
#[derive(Default)]
pub struct GenerateVideo;

type Context = WorkflowContext<GenerateVideo>;

#[workflow_methods]
impl GenerateVideo {
    /// Creates the task and returns the result of its lifecycle.
    ///
    /// An invalid request fails the workflow with `InvalidRequest`, one that the service rejects with `TaskRejected`, and a
    /// lost video with `VideoLost`, unless `report_only` is set.
    #[run(name = GENERATE_WORKFLOW)]
    pub async fn run(
        ctx: &mut WorkflowContext<Self>,
        request: Request<GenerateVideoRequest>,
    ) -> WorkflowResult<Reply<GenerateVideoResult>> {
        let encoding = request.encoding();
        let request = request.check().map_err(ApplicationFailure::from)?;
        let submission = create(ctx, &request).await?;
        ctx.set_current_details(details::for_submission(&request.account, &submission));
        let lifecycle = match submission.task_id.is_empty() {
            true => ambiguous(&submission),
            false => wait(ctx, &request, &submission.task_id).await?,
        };
        ctx.set_current_details(details::for_result(&lifecycle));
        let is_lost = lifecycle.outcome == outcome::LOST;
        let result = Reply::new(with_submission(lifecycle, submission), encoding);
        if is_lost && !request.report_only {
            return Err(video_lost::failure_of_generation(result).into());
        }
        Ok(result)
    }
}

async fn create(
    ctx: &Context,
    request: &GenerateVideoRequest,
) -> WorkflowResult<CreateVideoTaskResult> {
    let request = CreateVideoTaskRequest {
        request: request.request.clone(),
        account: request.account.clone(),
        submission_id: request.submission_id.clone(),
        destination: request.destination.clone(),
    };
    let options = options::submissions::create();
    let created = ctx.execute_activity(QueryActivities::create_video_task, request, options);
    created
        .await
        .map(Reply::into_message)
        .map_err(|error| activity_error::termination(ctx, error))
}

async fn wait(
    ctx: &Context,
    request: &GenerateVideoRequest,
    task_id: &str,
) -> WorkflowResult<VideoTaskLifecycleResult> {
    let request = AwaitVideoTaskRequest {
        task_id: task_id.to_owned(),
        account: request.account.clone(),
        destination: request.destination.clone(),
        report_only: true,
    };
    let options = options::submissions::await_video();
    let video = ctx.execute_activity(QueryActivities::await_video_task, request, options);
    video
        .await
        .map(Reply::into_message)
        .map_err(|error| activity_error::termination(ctx, error))
}

fn ambiguous(submission: &CreateVideoTaskResult) -> VideoTaskLifecycleResult {
    VideoTaskLifecycleResult {
        outcome: outcome::UNKNOWN.to_owned(),
        reason: SUBMISSION_AMBIGUOUS.to_owned(),
        message: submission.message.clone(),
        ..VideoTaskLifecycleResult::default()
    }
}

/// Adds the submission to the result of a lifecycle. The pattern has no `..`: a field that is added to the lifecycle's
/// result must not compile without one here.
fn with_submission(
    lifecycle: VideoTaskLifecycleResult,
    submission: CreateVideoTaskResult,
) -> GenerateVideoResult {
    let VideoTaskLifecycleResult {
        outcome,
        task,
        manifest,
        reason,
        message,
        warnings,
    } = lifecycle;
    GenerateVideoResult {
        outcome,
        task,
        manifest,
        reason,
        message,
        warnings,
        task_id: submission.task_id.clone(),
        submission: Some(submission),
    }
}
