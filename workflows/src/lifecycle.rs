//! The workflow `VideoTaskLifecycle`.

// The constants that the macro makes carry no documentation.
#![allow(missing_docs)]

use std::time::{Duration, SystemTime};

use seedance_archiver_proto::{
    names::failure,
    outcome, phase, status,
    v1::{
        ArchiveVideoRequest, CancelVideoTaskRequest, LifecycleProgress, Manifest,
        QueryVideoTaskRequest, RecordOutcomeRequest, Verdict, VideoTask, VideoTaskLifecycleRequest,
        VideoTaskLifecycleResult,
    },
};
use temporalio_common::error::{ApplicationFailure, IncomingError};
use temporalio_macros::{workflow, workflow_methods};
use temporalio_workflow::{
    ActivityExecutionError, SyncWorkflowContext, WorkflowContext, WorkflowContextView,
    WorkflowResult, workflows::select,
};

use crate::{
    activities::{QueryActivities, TransferActivities},
    details, ending, options, question,
    request::Request,
};

/// Shortest time between two questions that nudges bring about.
const NUDGE_PAUSE: Duration = Duration::from_secs(1);

/// Asks about a generation task until its status is terminal, then archives what it made.
#[workflow]
#[derive(Default)]
pub struct VideoTaskLifecycle {
    progress: LifecycleProgress,
    is_nudged: bool,
}

type Context = WorkflowContext<VideoTaskLifecycle>;

#[workflow_methods]
impl VideoTaskLifecycle {
    /// Runs to the end of the task. A request that cannot be read or is not sound fails as
    /// `InvalidRequest`, a lost video as `VideoLost`, unless the request asks for a report only.
    #[run(name = "VideoTaskLifecycle")]
    pub async fn run(
        ctx: &mut WorkflowContext<Self>,
        request: Request<VideoTaskLifecycleRequest>,
    ) -> WorkflowResult<VideoTaskLifecycleResult> {
        let request = request.check().map_err(ApplicationFailure::from)?;
        let mut result = match run_to_the_end(ctx, &request).await {
            Err(_) if ctx.cancellation_token().is_cancelled() => cancelled(ctx, &request).await,
            Err(error) => end_after(error, last_seen(ctx))?,
            Ok(result) => result,
        };
        record(ctx, &request, &mut result).await;
        show(ctx, phase::ENDED, result.task.clone());
        ctx.set_current_details(details::of_result(&result));
        if result.outcome == outcome::LOST && !request.report_only {
            return Err(video_lost(result).into());
        }
        Ok(result)
    }

    /// A hint that the task may have changed: it is asked about at once, and the hint is not
    /// believed.
    #[signal(name = "nudge")]
    pub fn nudge(&mut self, _: &mut SyncWorkflowContext<Self>) {
        self.is_nudged = true;
    }

    /// What is known now.
    #[query(name = "progress")]
    pub fn progress(&self, _: &WorkflowContextView) -> LifecycleProgress {
        self.progress.clone()
    }
}

async fn run_to_the_end(
    ctx: &Context,
    request: &VideoTaskLifecycleRequest,
) -> Result<VideoTaskLifecycleResult, ActivityExecutionError> {
    let task = follow(ctx, request).await?;
    if task.status != status::SUCCEEDED {
        return Ok(ending::unsuccessful(task));
    }
    let manifest = archive(ctx, request, task.clone()).await?;
    Ok(ending::archived(task, manifest))
}

/// Asks until the status is terminal. A task that was just created is queued as a rule, so that is
/// what the first question assumes: it saves an activity.
async fn follow(
    ctx: &Context,
    request: &VideoTaskLifecycleRequest,
) -> Result<VideoTask, ActivityExecutionError> {
    let mut known_status = status::QUEUED.to_owned();
    let mut was_nudged = false;
    let first_asked_at = unix_seconds(ctx.workflow_time());
    show(ctx, phase::WAITING, None);
    loop {
        let seen = last_seen(ctx);
        let question = QueryVideoTaskRequest {
            task_id: request.task_id.clone(),
            account: request.account.clone(),
            known_status: known_status.clone(),
            reveal_urls: false,
            known_created_at: seen.as_ref().map_or(0, |task| task.created_at),
            // A question that was cut short takes with it what it has seen.
            was_seen: seen.is_some() || was_nudged,
            first_asked_at,
        };
        let Some(task) = ask(ctx, question).await? else {
            was_nudged = true;
            continue;
        };
        if !question::is_news(&task.status, &known_status) {
            continue;
        }
        show(ctx, phase::WAITING, Some(task.clone()));
        if status::is_terminal(&task.status) {
            return Ok(task);
        }
        known_status = task.status;
    }
}

/// The answer to a question. `None`: a nudge cut it short, so it is to be asked again.
async fn ask(
    ctx: &Context,
    question: QueryVideoTaskRequest,
) -> Result<Option<VideoTask>, ActivityExecutionError> {
    ctx.state_mut(|state| state.is_nudged = false);
    let token = ctx.cancellation_token().child_token();
    let options = options::question(&question.known_status, token.clone());
    let mut answer = ctx.execute_activity(QueryActivities::query_video_task, question, options);
    let asked_at = ctx.workflow_time();
    select! {
        answer = &mut answer => return answer.map(Some),
        _ = ctx.wait_condition(|state| state.is_nudged) => {}
    }
    // A storm of nudges is one question a second.
    let asked_for = ctx.workflow_time().zip(asked_at);
    let asked_for = asked_for.and_then(|(now, then)| now.duration_since(then).ok());
    let pause = NUDGE_PAUSE.saturating_sub(asked_for.unwrap_or_default());
    if !pause.is_zero() {
        select! {
            answer = &mut answer => return answer.map(Some),
            _ = ctx.timer(pause) => {}
        }
    }
    token.cancel();
    match answer.await {
        Ok(task) => Ok(Some(task)),
        Err(error) if ctx.cancellation_token().is_cancelled() || verdict(&error).is_some() => {
            Err(error)
        }
        Err(_) => Ok(None),
    }
}

async fn archive(
    ctx: &Context,
    request: &VideoTaskLifecycleRequest,
    task: VideoTask,
) -> Result<Manifest, ActivityExecutionError> {
    show(ctx, phase::ARCHIVING, Some(task.clone()));
    let options = options::transfer(ctx.task_queue(), &task);
    let request = ArchiveVideoRequest {
        account: request.account.clone(),
        task: Some(task),
        destination: request.destination.clone(),
    };
    ctx.execute_activity(TransferActivities::archive_video, request, options)
        .await
}

/// The workflow was cancelled: nothing is waited for any more.
async fn cancelled(ctx: &Context, request: &VideoTaskLifecycleRequest) -> VideoTaskLifecycleResult {
    let task = last_seen(ctx);
    let may_be_queued = task
        .as_ref()
        .is_none_or(|task| task.status == status::QUEUED);
    if !request.cancel_task || !may_be_queued {
        return ending::cancelled_by_caller("the task goes its own way", task);
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
    match cancelled {
        Ok(cancelled) => {
            let task = cancelled.task.or(task);
            let status = task.as_ref().map_or("gone", |task| task.status.as_str());
            let task_too = if cancelled.is_cancelled {
                "the task was cancelled too".to_owned()
            } else {
                format!("the task was {status} and goes its own way")
            };
            ending::cancelled_by_caller(&task_too, task)
        }
        Err(error) => {
            let task_too = format!("the task could not be cancelled: {}", words(&error));
            ending::cancelled_by_caller(&task_too, task)
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
    let options = options::record(ctx.task_queue(), is_cancelled);
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
fn end_after(
    error: ActivityExecutionError,
    last_seen: Option<VideoTask>,
) -> WorkflowResult<VideoTaskLifecycleResult> {
    match verdict(&error) {
        Some(verdict) => Ok(ending::after_verdict(verdict, words(&error), last_seen)),
        None => Err(error.into()),
    }
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

fn unix_seconds(time: Option<SystemTime>) -> i64 {
    time.and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok())
        .and_then(|time| i64::try_from(time.as_secs()).ok())
        .unwrap_or_default()
}

fn video_lost(result: VideoTaskLifecycleResult) -> ApplicationFailure {
    let message = format!("{}: {}", result.reason, result.message);
    ApplicationFailure::builder(message)
        .type_name(failure::VIDEO_LOST.to_owned())
        .non_retryable(true)
        .details(result)
        .build()
}

fn words(error: &ActivityExecutionError) -> String {
    error
        .reason()
        .map_or_else(|| error.to_string(), ToString::to_string)
}

fn last_seen(ctx: &Context) -> Option<VideoTask> {
    ctx.state(|state| state.progress.task.clone())
}

/// Keeps what is known, for the query `progress`, and shows it in the UI.
fn show(ctx: &Context, phase: &str, task: Option<VideoTask>) {
    let progress = LifecycleProgress {
        phase: phase.to_owned(),
        task,
    };
    ctx.set_current_details(details::of_progress(&progress));
    ctx.state_mut(|state| state.progress = progress);
}
