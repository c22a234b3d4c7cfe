//! The workflow `VideoTaskLifecycle`.

// The constants that the macro generates have no documentation.
#![allow(missing_docs)]

mod ending;
mod polling;
mod state;

use seedance_archiver_policy::outcomes;
use seedance_archiver_proto::{
    names::LIFECYCLE_WORKFLOW,
    outcome, phase, status,
    v1::{
        ArchiveVideoRequest, LifecycleProgress, LifecycleState, Manifest,
        VideoTaskLifecycleRequest, VideoTaskLifecycleResult,
    },
};
use temporalio_common::error::ApplicationFailure;
use temporalio_macros::workflow_methods;
use temporalio_workflow::{
    ActivityExecutionError, ContinueAsNewOptions, SyncWorkflowContext, WorkflowContext,
    WorkflowContextView, WorkflowResult,
};

use crate::{
    activities::TransferActivities,
    attributes, details,
    invalid_request::InvalidRequest,
    options,
    reply::{OptionalArgument, Reply},
    request::{Request, check_destination},
    video_lost,
};
use polling::{EndedTask, Stop};
use state::{
    Context, ended_progress, set_phase, set_progress, transfers_task_queue,
    upsert_search_attributes,
};

pub use state::VideoTaskLifecycle;

#[workflow_methods]
impl VideoTaskLifecycle {
    /// Polls the task until it is terminal and archives its video.
    ///
    /// An invalid request fails the workflow with `InvalidRequest`, a lost video with `VideoLost`, unless
    /// `report_only` is set.
    #[run(name = LIFECYCLE_WORKFLOW)]
    pub async fn run(
        ctx: &mut WorkflowContext<Self>,
        request: Request<VideoTaskLifecycleRequest>,
    ) -> WorkflowResult<Reply<VideoTaskLifecycleResult>> {
        let encoding = request.encoding();
        ctx.state_mut(|state| state.encoding = encoding);
        let account = request.account();
        let request = match request
            .check()
            .and_then(|request| with_destination(ctx, request))
        {
            Ok(request) => request,
            Err(error) => {
                ending::reject(ctx, account, &error).await;
                return Err(ApplicationFailure::from(error).into());
            }
        };
        let mut result = match poll_and_archive(ctx, &request).await {
            Ok(result) => result,
            Err(_) if ctx.cancellation_token().is_cancelled() => {
                ending::cancel(ctx, &request).await
            }
            Err(Stop::HistoryTooLong(state)) => return continue_as_new(ctx, request, state),
            Err(Stop::Failed(error)) => match ending::after_failure(ctx, &error) {
                Some(result) => result,
                None => {
                    // Records the end, so it is not recorded again.
                    let recorded = ending::record_failure(ctx, &request, &error).await;
                    return end(ctx, &request, recorded.ok_or(error)?);
                }
            },
        };
        ending::record(ctx, &request, &mut result).await;
        end(ctx, &request, result)
    }

    /// Polls the task immediately: it may have changed. The signal has no other effect,
    /// because anyone may send it.
    #[signal(name = "nudge")]
    pub fn nudge(&mut self, _: &mut SyncWorkflowContext<Self>, _: OptionalArgument) {
        self.is_nudged = true;
    }

    /// Returns the phase, the last record of the task and the outcome.
    #[query(name = "progress")]
    pub fn progress(
        &self,
        _: &WorkflowContextView,
        argument: OptionalArgument,
    ) -> Reply<LifecycleProgress> {
        let encoding = argument.encoding().unwrap_or(self.encoding);
        Reply::new(self.progress.clone(), encoding)
    }
}

/// Checks the destination of a lifecycle that starts now.
///
/// Version 0.1.0 accepted more forms. A lifecycle that it started has to replay, and its video must not be lost: the
/// archive of the worker takes what a destination cannot take.
fn with_destination(
    ctx: &Context,
    request: VideoTaskLifecycleRequest,
) -> Result<VideoTaskLifecycleRequest, InvalidRequest> {
    match check_destination(&request.destination) {
        Err(error) if request.resumed.is_none() && ctx.patched("check-destination") => Err(error),
        _ => Ok(request),
    }
}

async fn poll_and_archive(
    ctx: &Context,
    request: &VideoTaskLifecycleRequest,
) -> Result<VideoTaskLifecycleResult, Stop> {
    let ended = polling::until_terminal(ctx, request).await?;
    let task = ended.task.clone();
    if task.status != status::SUCCEEDED {
        return Ok(outcomes::unsuccessful(task));
    }
    let manifest = archive(ctx, request, ended).await?;
    Ok(outcomes::archived(Some(task), manifest))
}

async fn archive(
    ctx: &Context,
    request: &VideoTaskLifecycleRequest,
    ended: EndedTask,
) -> Result<Manifest, ActivityExecutionError> {
    let EndedTask {
        task,
        sealed_record,
    } = ended;
    set_phase(ctx, phase::ARCHIVING, Some(task.clone()));
    let options = options::archive(transfers_task_queue(ctx), &task, ctx.workflow_time());
    let request = ArchiveVideoRequest {
        account: request.account.clone(),
        task: Some(task),
        destination: request.destination.clone(),
        sealed_record,
    };
    let manifest = ctx.execute_activity(TransferActivities::archive_video, request, options);
    manifest.await.map(Reply::into_message)
}

/// Ends the lifecycle with this result.
fn end(
    ctx: &Context,
    request: &VideoTaskLifecycleRequest,
    result: VideoTaskLifecycleResult,
) -> WorkflowResult<Reply<VideoTaskLifecycleResult>> {
    upsert_search_attributes(ctx, attributes::for_result(request, &result));
    set_progress(ctx, ended_progress(&result), details::for_result(&result));
    let is_lost = result.outcome == outcome::LOST;
    let result = Reply::new(result, ctx.state(|state| state.encoding));
    if is_lost && !request.report_only {
        return Err(video_lost::failure(result).into());
    }
    Ok(result)
}

fn continue_as_new(
    ctx: &Context,
    request: VideoTaskLifecycleRequest,
    state: LifecycleState,
) -> WorkflowResult<Reply<VideoTaskLifecycleResult>> {
    let request = VideoTaskLifecycleRequest {
        resumed: Some(state),
        ..request
    };
    let encoding = ctx.state(|state| state.encoding);
    let request = Request::new(request, encoding);
    match ctx.continue_as_new(request, ContinueAsNewOptions::default())? {}
}
