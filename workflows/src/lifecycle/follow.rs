//! The wait: asks about the task until it has ended.

use std::time::{Duration, SystemTime};

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

use super::{
    Context,
    known::{last_seen, show, task_in, write_attributes},
    verdict,
};
use crate::{activities::QueryActivities, attributes, options, reply::Reply};

/// Shortest time between two questions that nudges bring about.
const NUDGE_PAUSE: Duration = Duration::from_secs(1);
/// Most questions of one run, each of which is 6 to 9 events. Without nudges there are three.
const QUESTIONS_A_RUN: u32 = 100;
/// Events after which a run asks no more: each nudge is up to 4 of its own.
const EVENTS_A_RUN: u32 = 2_000;

/// Why a run does not get to the end of its task.
#[allow(clippy::large_enum_variant)] // There is one at a time.
pub(super) enum Stop {
    Failed(ActivityExecutionError),
    /// Nudges and answers without news have piled up: a fresh run goes on.
    HistoryIsLong(LifecycleState),
}

impl From<ActivityExecutionError> for Stop {
    fn from(error: ActivityExecutionError) -> Self {
        Self::Failed(error)
    }
}

/// Asks until the status is terminal. A task that was just created is queued as a rule, so that is
/// what the first question assumes: it saves an activity.
pub(super) async fn follow(
    ctx: &Context,
    request: &VideoTaskLifecycleRequest,
) -> Result<VideoTask, Stop> {
    let LifecycleState {
        task,
        mut may_have_been_seen,
        first_asked_at,
        has_search_attributes,
        transfers_task_queue,
    } = begin(ctx, request);
    let known = task.as_ref().map(|task| task.status.clone());
    let mut known_status = known.unwrap_or_else(|| status::QUEUED.to_owned());
    ctx.state_mut(|state| {
        state.worker = WorkerFacts {
            has_search_attributes,
            transfers_task_queue,
        };
    });
    show(ctx, phase::WAITING, task);
    for _ in 0..QUESTIONS_A_RUN {
        if ctx.history_length() > EVENTS_A_RUN {
            break;
        }
        let seen = last_seen(ctx);
        let question = QueryVideoTaskRequest {
            task_id: request.task_id.clone(),
            account: request.account.clone(),
            known_status: known_status.clone(),
            reveal_urls: false,
            known_created_at: seen.as_ref().map_or(0, |task| task.created_at),
            // A question that was cut short takes with it what it has seen.
            was_seen: seen.is_some() || may_have_been_seen,
            first_asked_at,
        };
        let Some(result) = ask(ctx, question).await? else {
            may_have_been_seen = true;
            continue;
        };
        let task = task_in(ctx, result);
        if !is_later_status(&task.status, &known_status) {
            // It was seen all the same.
            if last_seen(ctx).is_none() {
                show(ctx, phase::WAITING, Some(task));
            }
            continue;
        }
        write_attributes(ctx, attributes::of_task(&request.account, &task));
        show(ctx, phase::WAITING, Some(task.clone()));
        if status::is_terminal(&task.status) {
            return Ok(task);
        }
        known_status = task.status;
    }
    Err(Stop::HistoryIsLong(LifecycleState {
        task: last_seen(ctx),
        may_have_been_seen,
        first_asked_at,
        has_search_attributes: ctx.state(|state| state.worker.has_search_attributes),
        transfers_task_queue: ctx.state(|state| state.worker.transfers_task_queue.clone()),
    }))
}

/// What the run begins with: nothing, or what the one before it knew.
fn begin(ctx: &Context, request: &VideoTaskLifecycleRequest) -> LifecycleState {
    request.resumed.clone().unwrap_or_else(|| LifecycleState {
        first_asked_at: unix_seconds(ctx.workflow_time()),
        ..LifecycleState::default()
    })
}

/// The answer to a question. `None`: a nudge cut it short, so it is to be asked again.
async fn ask(
    ctx: &Context,
    question: QueryVideoTaskRequest,
) -> Result<Option<QueryVideoTaskResult>, ActivityExecutionError> {
    ctx.state_mut(|state| state.is_nudged = false);
    let token = ctx.cancellation_token().child_token();
    let options = options::question(&question.known_status, token.clone());
    let mut answer = ctx.execute_activity(QueryActivities::query_video_task, question, options);
    let asked_at = ctx.workflow_time();
    select! {
        answer = &mut answer => return answer.map(told),
        _ = ctx.wait_condition(|state| state.is_nudged) => {}
    }
    // A storm of nudges is one question a second.
    let asked_for = ctx.workflow_time().zip(asked_at);
    let asked_for = asked_for.and_then(|(now, then)| now.duration_since(then).ok());
    let pause = NUDGE_PAUSE.saturating_sub(asked_for.unwrap_or_default());
    if !pause.is_zero() {
        select! {
            answer = &mut answer => return answer.map(told),
            _ = ctx.timer(pause) => {}
        }
    }
    token.cancel();
    match answer.await {
        Ok(answer) => Ok(told(answer)),
        Err(error) if ctx.cancellation_token().is_cancelled() || verdict(&error).is_some() => {
            Err(error)
        }
        Err(_) => Ok(None),
    }
}

fn told(answer: Reply<QueryVideoTaskResult>) -> Option<QueryVideoTaskResult> {
    Some(answer.into_message())
}

fn unix_seconds(time: Option<SystemTime>) -> i64 {
    time.and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok())
        .and_then(|time| i64::try_from(time.as_secs()).ok())
        .unwrap_or_default()
}
