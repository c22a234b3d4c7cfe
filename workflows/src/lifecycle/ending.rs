//! How a lifecycle ends without a video in the archive.

use seedance_archiver_policy::outcomes;
use seedance_archiver_proto::{
    external, outcome, status,
    v1::{
        CancelVideoTaskRequest, RecordOutcomeRequest, VideoTaskLifecycleRequest,
        VideoTaskLifecycleResult,
    },
};
use temporalio_workflow::{ActivityExecutionError, WorkflowTermination};

use super::{
    activity_error::{is_store_conflict, message, verdict},
    state::{Context, last_seen, take_task, transfers_task_queue},
};
use crate::{
    activities::{QueryActivities, TransferActivities},
    options,
    reply::Reply,
};

/// Returns the result of a cancelled workflow. Cancels the task first if `cancel_task` is set.
pub(super) async fn cancel(
    ctx: &Context,
    request: &VideoTaskLifecycleRequest,
) -> VideoTaskLifecycleResult {
    let task = last_seen(ctx);
    let may_be_queued = task
        .as_ref()
        .is_none_or(|task| task.status == status::QUEUED);
    if !request.cancel_task || !may_be_queued {
        return outcomes::cancelled_by_caller("the task was left running", task);
    }
    let cancel_request = CancelVideoTaskRequest {
        task_id: request.task_id.clone(),
        account: request.account.clone(),
    };
    let cancelled = ctx
        .execute_activity(
            QueryActivities::cancel_video_task,
            cancel_request,
            options::cancel_task(),
        )
        .await;
    match cancelled.map(Reply::into_message) {
        Ok(cancelled) => {
            let seen = cancelled.task.map(|result| take_task(ctx, result));
            let task = seen.or(task);
            let task_effect = match &task {
                _ if cancelled.is_cancelled => "the task was cancelled too".to_owned(),
                Some(task) => format!(
                    "the task was not cancelled: its status is `{}`",
                    task.status
                ),
                None => "the task was not cancelled: the service has no record of it".to_owned(),
            };
            outcomes::cancelled_by_caller(&task_effect, task)
        }
        Err(error) => {
            let task_effect = format!("cancelling the task failed: {}", message(&error));
            outcomes::cancelled_by_caller(&task_effect, task)
        }
    }
}

/// Returns the result after an activity failed, or `None` if its failure contains no verdict on the task, so
/// that the workflow fails with the same failure.
pub(super) fn after_failure(
    ctx: &Context,
    error: &ActivityExecutionError,
) -> Option<VideoTaskLifecycleResult> {
    let verdict = verdict(error)?;
    let task = verdict.task.map(|result| take_task(ctx, result));
    let task = task.or_else(|| last_seen(ctx));
    Some(outcomes::after_verdict(
        verdict.reason,
        message(error),
        task,
    ))
}

/// Fails the workflow with the failure of an activity. If the archive holds a different video under the task's
/// key, writes `outcome.json` first; otherwise every sweep would start the lifecycle again.
pub(super) async fn fail(
    ctx: &Context,
    request: &VideoTaskLifecycleRequest,
    error: ActivityExecutionError,
) -> WorkflowTermination {
    if is_store_conflict(&error) {
        let mut result = outcomes::conflict(message(&error), last_seen(ctx));
        record(ctx, request, &mut result).await;
    }
    error.into()
}

/// Writes `outcome.json` for a task that has a record but no receipt, because the namespace's retention
/// deletes the history. A failure is added to the result's message and changes nothing else.
pub(super) async fn record(
    ctx: &Context,
    request: &VideoTaskLifecycleRequest,
    result: &mut VideoTaskLifecycleResult,
) {
    if result.outcome == outcome::ARCHIVED || result.task.is_none() {
        return;
    }
    let is_cancelled = ctx.cancellation_token().is_cancelled();
    let options = options::record_outcome(transfers_task_queue(ctx), is_cancelled);
    let request = RecordOutcomeRequest {
        account: request.account.clone(),
        destination: request.destination.clone(),
        result: Some(result.clone()),
    };
    let recorded = ctx
        .execute_activity(TransferActivities::record_outcome, request, options)
        .await;
    if let Err(error) = recorded {
        let message = format!(
            "{}; writing outcome.json failed: {}",
            result.message,
            message(&error)
        );
        result.message = external::message(&message);
    }
}
