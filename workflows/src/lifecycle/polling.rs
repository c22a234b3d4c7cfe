//! Polls a task until its status is terminal.

use std::{
    mem,
    time::{Duration, SystemTime},
};

use seedance_archiver_policy::poll::is_later_status;
use seedance_archiver_proto::{
    phase,
    query_result::WorkerFacts,
    status,
    v1::{
        LifecycleState, QueryVideoTaskRequest, QueryVideoTaskResult, VideoTask,
        VideoTaskLifecycleRequest,
    },
};
use temporalio_workflow::{ActivityExecutionError, workflows::select};

use super::state::{Context, last_seen, set_phase, take_task, upsert_search_attributes};
use crate::{
    activities::QueryActivities, activity_error::verdict, attributes, options, reply::Reply,
};

/// Minimum interval between two polls that are triggered by nudges.
const MIN_NUDGE_INTERVAL: Duration = Duration::from_secs(1);
/// A poll is 6 to 9 events. A task that is never nudged needs three.
const MAX_POLLS_PER_RUN: u32 = 100;
/// Length of the history from which a run starts no further poll. A nudge adds up to 4 events.
const MAX_EVENTS_PER_RUN: u32 = 2_000;

/// Why a run stops before the task is terminal.
#[allow(clippy::large_enum_variant)] // Only one exists at a time.
pub(super) enum Stop {
    Failed(ActivityExecutionError),
    /// The history is too long, because of nudges and polls without a change: continue as new.
    HistoryTooLong(LifecycleState),
}

impl From<ActivityExecutionError> for Stop {
    fn from(error: ActivityExecutionError) -> Self {
        Self::Failed(error)
    }
}

/// A task whose status is terminal.
pub(super) struct EndedTask {
    pub(super) task: VideoTask,
    /// The record of a succeeded task as received, for the archive. Empty: the archive has to query it.
    pub(super) sealed_record: String,
}

/// Polls the task until its status is terminal, and returns it.
///
/// The first poll assumes that the status is `queued`, as it is for a task that was just created. That saves
/// an activity.
pub(super) async fn until_terminal(
    ctx: &Context,
    request: &VideoTaskLifecycleRequest,
) -> Result<EndedTask, Stop> {
    let LifecycleState {
        task,
        mut may_have_been_seen,
        first_asked_at,
        has_search_attributes,
        transfers_task_queue,
    } = initial_state(ctx, request);
    let known = task.as_ref().map(|task| task.status.clone());
    let mut known_status = known.unwrap_or_else(|| status::QUEUED.to_owned());
    ctx.state_mut(|state| {
        state.worker = WorkerFacts {
            has_search_attributes,
            // Learned again by the next poll, before which this run writes no attribute of a draft or a user. So the state of a run
            // has the same fields as in version 0.1.0, which may execute the next one.
            has_draft_attributes: false,
            has_user_attribute: false,
            transfers_task_queue,
        };
    });
    set_phase(ctx, phase::WAITING, task);
    let mut last_polled_at = 0;
    let mut is_nudged = false;
    for _ in 0..MAX_POLLS_PER_RUN {
        if ctx.history_length() > MAX_EVENTS_PER_RUN {
            break;
        }
        // One may have come with the result of the poll before.
        is_nudged |= ctx.state_mut(|state| mem::take(&mut state.is_nudged));
        let seen = last_seen(ctx);
        let query = QueryVideoTaskRequest {
            task_id: request.task_id.clone(),
            account: request.account.clone(),
            known_status: known_status.clone(),
            reveal_urls: false,
            known_created_at: seen.as_ref().map_or(0, |task| task.created_at),
            // A nudge cancels the activity, and the records in its heartbeat are lost with it.
            was_seen: seen.is_some() || may_have_been_seen,
            first_asked_at,
            destination: request.destination.clone(),
            last_polled_at,
            poll_now: is_nudged,
            with_record: true,
        };
        let Some(mut result) = poll(ctx, query).await? else {
            may_have_been_seen = true;
            is_nudged = true;
            continue;
        };
        is_nudged = false;
        last_polled_at = unix_seconds(ctx.workflow_time());
        let sealed_record = mem::take(&mut result.sealed_record);
        let task = take_task(ctx, result);
        if !is_later_status(&task.status, &known_status) {
            // A record with the assumed status is still the first record of the task.
            if last_seen(ctx).is_none() {
                set_phase(ctx, phase::WAITING, Some(task));
            }
            continue;
        }
        upsert_search_attributes(ctx, attributes::for_task(&request.account, &task));
        set_phase(ctx, phase::WAITING, Some(task.clone()));
        if status::is_terminal(&task.status) {
            return Ok(EndedTask {
                task,
                sealed_record,
            });
        }
        known_status = task.status;
    }
    Err(Stop::HistoryTooLong(LifecycleState {
        task: last_seen(ctx),
        may_have_been_seen,
        first_asked_at,
        has_search_attributes: ctx.state(|state| state.worker.has_search_attributes),
        transfers_task_queue: ctx.state(|state| state.worker.transfers_task_queue.clone()),
    }))
}

/// Returns the state of the previous run, or that of a lifecycle that starts now.
fn initial_state(ctx: &Context, request: &VideoTaskLifecycleRequest) -> LifecycleState {
    request.resumed.clone().unwrap_or_else(|| LifecycleState {
        first_asked_at: unix_seconds(ctx.workflow_time()),
        ..LifecycleState::default()
    })
}

/// Runs one `QueryVideoTask` activity and returns its result, or `None` if a nudge cancelled the activity. The
/// task must then be polled again.
async fn poll(
    ctx: &Context,
    query: QueryVideoTaskRequest,
) -> Result<Option<QueryVideoTaskResult>, ActivityExecutionError> {
    let token = ctx.cancellation_token().child_token();
    let options = options::query(&query.known_status, token.clone());
    let mut result = ctx.execute_activity(QueryActivities::query_video_task, query, options);
    let started_at = ctx.workflow_time();
    select! {
        result = &mut result => return result.map(into_some_message),
        _ = ctx.wait_condition(|state| state.is_nudged) => {}
    }
    // However many nudges arrive, the task is polled once per interval.
    let elapsed = ctx.workflow_time().zip(started_at);
    let elapsed = elapsed.and_then(|(now, started_at)| now.duration_since(started_at).ok());
    let wait = MIN_NUDGE_INTERVAL.saturating_sub(elapsed.unwrap_or_default());
    if !wait.is_zero() {
        select! {
            result = &mut result => return result.map(into_some_message),
            _ = ctx.timer(wait) => {}
        }
    }
    token.cancel();
    match result.await {
        Ok(result) => Ok(into_some_message(result)),
        Err(error) if ctx.cancellation_token().is_cancelled() || verdict(&error).is_some() => {
            Err(error)
        }
        Err(_) => Ok(None),
    }
}

fn into_some_message(result: Reply<QueryVideoTaskResult>) -> Option<QueryVideoTaskResult> {
    Some(result.into_message())
}

fn unix_seconds(time: Option<SystemTime>) -> i64 {
    time.map_or(0, seedance_archiver_proto::time::unix_seconds)
}
