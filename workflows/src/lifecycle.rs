//! The workflow `VideoTaskLifecycle`.

// The constants that the macro makes carry no documentation.
#![allow(missing_docs)]

use std::time::Duration;

use seedance_archiver_proto::{
    names::{self, failure},
    outcome, status,
    v1::{
        ArchiveVideoRequest, Manifest, QueryVideoTaskRequest, Verdict, VideoTask,
        VideoTaskLifecycleRequest, VideoTaskLifecycleResult,
    },
};
use temporalio_common::error::{ApplicationFailure, IncomingError};
use temporalio_macros::{workflow, workflow_methods};
use temporalio_workflow::{
    ActivityExecutionError, ActivityOptions, RetryPolicy, WorkflowContext, WorkflowResult,
};

use crate::{
    activities::{QueryActivities, TransferActivities},
    ending, question,
    request::Request,
};

/// One question: a request to the API and its answer.
const QUESTION_TIMEOUT: Duration = Duration::from_secs(60);
/// One attempt at a transfer. A stalled one is found by its heartbeats, long before.
const TRANSFER_TIMEOUT: Duration = Duration::from_secs(6 * 60 * 60);
/// How long a dead worker's transfer goes unnoticed.
const TRANSFER_HEARTBEAT: Duration = Duration::from_secs(20);
/// Longest time between two attempts that no explicit delay spaces.
const LONGEST_BACKOFF: Duration = Duration::from_secs(60);

/// Asks about a generation task until its status is terminal, then archives what it made.
#[workflow]
#[derive(Default)]
pub struct VideoTaskLifecycle;

#[workflow_methods]
impl VideoTaskLifecycle {
    /// Runs to the end of the task. A request that cannot be read or is not sound fails as
    /// `InvalidRequest`.
    #[run(name = "VideoTaskLifecycle")]
    pub async fn run(
        ctx: &mut WorkflowContext<Self>,
        request: Request<VideoTaskLifecycleRequest>,
    ) -> WorkflowResult<VideoTaskLifecycleResult> {
        let request = request.check().map_err(ApplicationFailure::from)?;
        let result = run_to_the_end(ctx, &request).await?;
        if result.outcome == outcome::LOST && !request.report_only {
            return Err(video_lost(result).into());
        }
        Ok(result)
    }
}

async fn run_to_the_end(
    ctx: &WorkflowContext<VideoTaskLifecycle>,
    request: &VideoTaskLifecycleRequest,
) -> WorkflowResult<VideoTaskLifecycleResult> {
    let mut last_seen = None;
    let task = match follow(ctx, request, &mut last_seen).await {
        Ok(task) => task,
        Err(error) => return end_after(error, last_seen),
    };
    if task.status != status::SUCCEEDED {
        return Ok(ending::unsuccessful(task));
    }
    match archive(ctx, request, task.clone()).await {
        Ok(manifest) => Ok(ending::archived(task, manifest)),
        Err(error) => end_after(error, Some(task)),
    }
}

/// Asks until the status is terminal. A task that was just created is queued as a rule, so that is
/// what the first question assumes: it saves an activity.
async fn follow(
    ctx: &WorkflowContext<VideoTaskLifecycle>,
    request: &VideoTaskLifecycleRequest,
    last_seen: &mut Option<VideoTask>,
) -> Result<VideoTask, ActivityExecutionError> {
    let mut known = (status::QUEUED.to_owned(), 0);
    loop {
        let question = QueryVideoTaskRequest {
            task_id: request.task_id.clone(),
            account: request.account.clone(),
            known_status: known.0.clone(),
            known_created_at: last_seen.as_ref().map_or(0, |task| task.created_at),
            known_updated_at: known.1,
        };
        let options = question_options(&known.0);
        let task = ctx
            .execute_activity(QueryActivities::query_video_task, question, options)
            .await?;
        if !question::is_news((&task.status, task.updated_at), (&known.0, known.1)) {
            continue;
        }
        *last_seen = Some(task.clone());
        if status::is_terminal(&task.status) {
            return Ok(task);
        }
        known = (task.status, task.updated_at);
    }
}

async fn archive(
    ctx: &WorkflowContext<VideoTaskLifecycle>,
    request: &VideoTaskLifecycleRequest,
    task: VideoTask,
) -> Result<Manifest, ActivityExecutionError> {
    let options = transfer_options(ctx.task_queue(), &task);
    let request = ArchiveVideoRequest {
        account: request.account.clone(),
        task: Some(task),
        destination: request.destination.clone(),
    };
    ctx.execute_activity(TransferActivities::archive_video, request, options)
        .await
}

/// Retried for as long as it takes: the activity itself says when asking can no longer help.
fn question_options(known_status: &str) -> ActivityOptions {
    ActivityOptions::with_start_to_close_timeout(QUESTION_TIMEOUT)
        .activity_id(names::QUERY_ACTIVITY_ID)
        .retry_policy(
            RetryPolicy::builder()
                .maximum_interval(LONGEST_BACKOFF)
                .build(),
        )
        .summary(format!("wait while {known_status}"))
        .build()
}

/// Retried for as long as it takes: the activity itself says when the bytes can no longer be had.
fn transfer_options(task_queue: &str, task: &VideoTask) -> ActivityOptions {
    ActivityOptions::with_start_to_close_timeout(TRANSFER_TIMEOUT)
        .activity_id("archive")
        .task_queue(names::transfers_task_queue(task_queue))
        .heartbeat_timeout(TRANSFER_HEARTBEAT)
        .retry_policy(
            RetryPolicy::builder()
                .maximum_interval(LONGEST_BACKOFF)
                .build(),
        )
        .summary(format!("archive {}", task.model))
        .build()
}

/// An activity that fails for good ends the lifecycle where it says what that means for the task.
/// Otherwise the failure is the workflow's own.
fn end_after(
    error: ActivityExecutionError,
    last_seen: Option<VideoTask>,
) -> WorkflowResult<VideoTaskLifecycleResult> {
    if let Some(IncomingError::Application(failure)) = error.reason()
        && let Ok(Some(verdict)) = failure.details::<Verdict>()
        && !verdict.reason.is_empty()
    {
        return Ok(ending::after_verdict(
            verdict,
            failure.to_string(),
            last_seen,
        ));
    }
    Err(error.into())
}

fn video_lost(result: VideoTaskLifecycleResult) -> ApplicationFailure {
    let message = format!("{}: {}", result.reason, result.message);
    ApplicationFailure::builder(message)
        .type_name(failure::VIDEO_LOST.to_owned())
        .non_retryable(true)
        .details(result)
        .build()
}
