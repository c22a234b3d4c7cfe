//! How a lifecycle ends without a video in the archive.

use seedance_archiver_policy::outcomes;
use seedance_archiver_proto::{
    external,
    names::{self, failure},
    outcome, reason, status,
    v1::{
        CancelVideoTaskRequest, OutcomeRecord, RecordOutcomeRequest, VideoTaskLifecycleRequest,
        VideoTaskLifecycleResult,
    },
};
use temporalio_workflow::ActivityExecutionError;

use super::state::{Context, last_seen, take_task, transfers_task_queue};
use crate::{
    activities::{QueryActivities, TransferActivities},
    activity_error::{failure_type, message, verdict},
    invalid_request::InvalidRequest,
    options,
    reply::Reply,
};

/// The reason of a lifecycle that fails with a failure of Temporal's own, as a failure type.
const ACTIVITY_FAILED: &str = "ActivityFailed";

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

/// Records the end of a lifecycle whose workflow fails with the failure of an activity. If the archive has a receipt of
/// the task, or the task was erased, returns that result instead.
pub(super) async fn record_failure(
    ctx: &Context,
    request: &VideoTaskLifecycleRequest,
    error: &ActivityExecutionError,
) -> Option<VideoTaskLifecycleResult> {
    let failure_type = failure_type(error).unwrap_or(ACTIVITY_FAILED);
    // Version 0.1.0 recorded only conflicts.
    if failure_type != failure::STORE_CONFLICT && !records_every_ending(ctx) {
        return None;
    }
    let mut result = outcomes::failed(failure_type, message(error), last_seen(ctx));
    record(ctx, request, &mut result).await;
    (result.outcome == outcome::ARCHIVED || result.reason == reason::ERASED).then_some(result)
}

/// Counts the end of a lifecycle whose request is invalid. `account` is the account in it, empty if that is invalid.
pub(super) async fn reject(ctx: &Context, account: String, error: &InvalidRequest) {
    if !records_every_ending(ctx) {
        return;
    }
    let result = outcomes::failed(failure::INVALID_REQUEST, error.to_string(), None);
    let request = RecordOutcomeRequest {
        account,
        result: Some(result),
        ..RecordOutcomeRequest::default()
    };
    // The caller waits for the failure, so there is little time. Without a worker that counts, nothing is lost.
    let options =
        options::record_outcome(names::RECORD_ACTIVITY_ID, transfers_task_queue(ctx), true);
    let _ = ctx
        .execute_activity(TransferActivities::record_outcome, request, options)
        .await;
}

/// Records the end of a lifecycle without a receipt: counts it, and writes `outcome.json`, because the namespace's
/// retention deletes the history. If the archive has a receipt after all, changes the result to `archived`. If the task was
/// erased, its video is not lost: changes the result to that. A failure is added to the result's message and changes nothing
/// else.
pub(super) async fn record(
    ctx: &Context,
    request: &VideoTaskLifecycleRequest,
    result: &mut VideoTaskLifecycleResult,
) {
    // Version 0.1.0 did not record the end of a task without a record.
    if result.outcome == outcome::ARCHIVED || (result.task.is_none() && !records_every_ending(ctx))
    {
        return;
    }
    let request = RecordOutcomeRequest {
        account: request.account.clone(),
        destination: request.destination.clone(),
        task_id: request.task_id.clone(),
        result: Some(result.clone()),
    };
    match record_outcome(ctx, request).await {
        Ok(recorded) => {
            if let Some(manifest) = recorded.manifest {
                *result = outcomes::archived(result.task.take(), manifest);
            } else if recorded.reason == reason::ERASED {
                *result = outcomes::erased(result.task.take(), recorded.message);
            }
        }
        Err(error) => {
            let message = format!(
                "{}; writing outcome.json failed: {}",
                result.message,
                message(&error)
            );
            result.message = external::message(&message);
        }
    }
}

/// Runs `RecordOutcome`. If the workflow is cancelled meanwhile, the activity is too, and runs again: otherwise nobody would
/// hear of the end of the task.
async fn record_outcome(
    ctx: &Context,
    request: RecordOutcomeRequest,
) -> Result<OutcomeRecord, ActivityExecutionError> {
    let is_cancelled = || ctx.cancellation_token().is_cancelled();
    let run = |id, is_cancelled| {
        let options = options::record_outcome(id, transfers_task_queue(ctx), is_cancelled);
        ctx.execute_activity(TransferActivities::record_outcome, request.clone(), options)
    };
    let was_cancelled = is_cancelled();
    let mut recorded = run(names::RECORD_ACTIVITY_ID, was_cancelled).await;
    let is_stopped = recorded.is_err() && !was_cancelled && is_cancelled();
    if is_stopped && ctx.patched("record-although-cancelled") {
        recorded = run(names::RECORD_AGAIN_ACTIVITY_ID, true).await;
    }
    recorded.map(Reply::into_message)
}

/// Returns whether this lifecycle records every ending. One that ended on version 0.1.0 did not, and its history has to
/// replay.
fn records_every_ending(ctx: &Context) -> bool {
    ctx.patched("record-every-ending")
}
