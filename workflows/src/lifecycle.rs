//! The workflow `VideoTaskLifecycle`.

// The constants that the macro makes carry no documentation.
#![allow(missing_docs)]

mod follow;
mod known;

use seedance_archiver_policy::outcomes;
use seedance_archiver_proto::{
    names::{LIFECYCLE_WORKFLOW, failure},
    outcome, phase,
    query_result::WorkerFacts,
    status,
    v1::{
        ArchiveVideoRequest, CancelVideoTaskRequest, LifecycleProgress, LifecycleState, Manifest,
        RecordOutcomeRequest, Verdict, VideoTask, VideoTaskLifecycleRequest,
        VideoTaskLifecycleResult,
    },
};
use temporalio_common::error::{ApplicationFailure, IncomingError};
use temporalio_macros::{workflow, workflow_methods};
use temporalio_workflow::{
    ActivityExecutionError, ContinueAsNewOptions, SyncWorkflowContext, WorkflowContext,
    WorkflowContextView, WorkflowResult, WorkflowTermination,
};

use crate::{
    activities::{QueryActivities, TransferActivities},
    attributes,
    encoding::Encoding,
    options,
    reply::{Bare, Reply},
    request::Request,
    video_lost,
};
use follow::{Stop, follow};
use known::{last_seen, show, show_result, task_in, transfers_task_queue, write_attributes};

/// Asks about a generation task until its status is terminal, then archives what it made.
#[workflow]
#[derive(Default)]
pub struct VideoTaskLifecycle {
    progress: LifecycleProgress,
    is_nudged: bool,
    /// What the workers that answered so far have said of themselves.
    worker: WorkerFacts,
    /// How the request came.
    encoding: Encoding,
}

type Context = WorkflowContext<VideoTaskLifecycle>;

#[workflow_methods]
impl VideoTaskLifecycle {
    /// Runs to the end of the task. A request that cannot be read or is not sound fails as
    /// `InvalidRequest`, a lost video as `VideoLost`, unless the request asks for a report only.
    #[run(name = LIFECYCLE_WORKFLOW)]
    pub async fn run(
        ctx: &mut WorkflowContext<Self>,
        request: Request<VideoTaskLifecycleRequest>,
    ) -> WorkflowResult<Reply<VideoTaskLifecycleResult>> {
        let encoding = request.encoding();
        ctx.state_mut(|state| state.encoding = encoding);
        let request = request.check().map_err(ApplicationFailure::from)?;
        let mut result = match run_to_the_end(ctx, &request).await {
            Ok(result) => result,
            Err(_) if ctx.cancellation_token().is_cancelled() => cancelled(ctx, &request).await,
            Err(Stop::HistoryIsLong(state)) => return start_over(ctx, request, state),
            Err(Stop::Failed(error)) => match end_after(ctx, &error) {
                Some(result) => result,
                None => return Err(fail(ctx, &request, error).await),
            },
        };
        record(ctx, &request, &mut result).await;
        write_attributes(ctx, attributes::of_result(&request, &result));
        show_result(ctx, &result);
        if result.outcome == outcome::LOST && !request.report_only {
            return Err(video_lost::failure(Reply::new(result, encoding)).into());
        }
        Ok(Reply::new(result, encoding))
    }

    /// A hint that the task may have changed: it is asked about at once, and the hint is not
    /// believed.
    #[signal(name = "nudge")]
    pub fn nudge(&mut self, _: &mut SyncWorkflowContext<Self>, _: Bare) {
        self.is_nudged = true;
    }

    /// What is known now.
    #[query(name = "progress")]
    pub fn progress(&self, _: &WorkflowContextView, asked: Bare) -> Reply<LifecycleProgress> {
        let encoding = asked.encoding().unwrap_or(self.encoding);
        Reply::new(self.progress.clone(), encoding)
    }
}

async fn run_to_the_end(
    ctx: &Context,
    request: &VideoTaskLifecycleRequest,
) -> Result<VideoTaskLifecycleResult, Stop> {
    let task = follow(ctx, request).await?;
    if task.status != status::SUCCEEDED {
        return Ok(outcomes::unsuccessful(task));
    }
    let manifest = archive(ctx, request, task.clone()).await?;
    Ok(outcomes::archived(task, manifest))
}

/// Goes on in a run with a history of its own.
fn start_over(
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

async fn archive(
    ctx: &Context,
    request: &VideoTaskLifecycleRequest,
    task: VideoTask,
) -> Result<Manifest, ActivityExecutionError> {
    show(ctx, phase::ARCHIVING, Some(task.clone()));
    let options = options::transfer(transfers_task_queue(ctx), &task, ctx.workflow_time());
    let request = ArchiveVideoRequest {
        account: request.account.clone(),
        task: Some(task),
        destination: request.destination.clone(),
    };
    let manifest = ctx.execute_activity(TransferActivities::archive_video, request, options);
    manifest.await.map(Reply::into_message)
}

/// The workflow was cancelled: nothing is waited for any more.
async fn cancelled(ctx: &Context, request: &VideoTaskLifecycleRequest) -> VideoTaskLifecycleResult {
    let task = last_seen(ctx);
    let may_be_queued = task
        .as_ref()
        .is_none_or(|task| task.status == status::QUEUED);
    if !request.cancel_task || !may_be_queued {
        return outcomes::cancelled_by_caller("the task goes its own way", task);
    }
    let cancel = CancelVideoTaskRequest {
        task_id: request.task_id.clone(),
        account: request.account.clone(),
    };
    let cancelled = ctx
        .execute_activity(
            QueryActivities::cancel_video_task,
            cancel,
            options::cancel_task(),
        )
        .await;
    match cancelled.map(Reply::into_message) {
        Ok(cancelled) => {
            let seen = cancelled.task.map(|result| task_in(ctx, result));
            let task = seen.or(task);
            let status = task.as_ref().map_or("gone", |task| task.status.as_str());
            let task_too = if cancelled.is_cancelled {
                "the task was cancelled too".to_owned()
            } else {
                format!("the task was {status} and goes its own way")
            };
            outcomes::cancelled_by_caller(&task_too, task)
        }
        Err(error) => {
            let task_too = format!("the task could not be cancelled: {}", words(&error));
            outcomes::cancelled_by_caller(&task_too, task)
        }
    }
}

/// Leaves a record of a task that was seen and has no receipt: history may forget it. What is known
/// does not wait for it for long, nor change where it fails.
async fn record(
    ctx: &Context,
    request: &VideoTaskLifecycleRequest,
    result: &mut VideoTaskLifecycleResult,
) {
    if result.outcome == outcome::ARCHIVED || result.task.is_none() {
        return;
    }
    let is_cancelled = ctx.cancellation_token().is_cancelled();
    let options = options::record(transfers_task_queue(ctx), is_cancelled);
    let request = RecordOutcomeRequest {
        account: request.account.clone(),
        destination: request.destination.clone(),
        result: Some(result.clone()),
    };
    let recorded = ctx
        .execute_activity(TransferActivities::record_outcome, request, options)
        .await;
    if let Err(error) = recorded {
        result.message += &format!("; this could not be recorded: {}", words(&error));
    }
}

/// An activity that fails for good ends the lifecycle where it says what that means for the task.
/// Otherwise the failure is the workflow's own.
fn end_after(ctx: &Context, error: &ActivityExecutionError) -> Option<VideoTaskLifecycleResult> {
    let verdict = verdict(error)?;
    let task = verdict.task.map(|result| task_in(ctx, result));
    let task = task.or_else(|| last_seen(ctx));
    Some(outcomes::after_verdict(verdict.reason, words(error), task))
}

/// The failure is the workflow's own. Where the archive has another video in the task's place, a record
/// says so, or every sweep would try again.
async fn fail(
    ctx: &Context,
    request: &VideoTaskLifecycleRequest,
    error: ActivityExecutionError,
) -> WorkflowTermination {
    let is_conflict = matches!(
        error.reason(),
        Some(IncomingError::Application(failure))
            if failure.type_name() == Some(failure::STORE_CONFLICT)
    );
    if is_conflict {
        let mut result = outcomes::conflict(words(&error), last_seen(ctx));
        record(ctx, request, &mut result).await;
    }
    error.into()
}

fn verdict(error: &ActivityExecutionError) -> Option<Verdict> {
    match error.reason() {
        Some(IncomingError::Application(failure)) => {
            let verdict: Option<Verdict> = failure.details().ok().flatten();
            verdict.filter(|verdict| !verdict.reason.is_empty())
        }
        _ => None,
    }
}

fn words(error: &ActivityExecutionError) -> String {
    error
        .reason()
        .map_or_else(|| error.to_string(), ToString::to_string)
}
