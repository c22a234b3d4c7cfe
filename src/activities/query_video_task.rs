//! `QueryVideoTask`: a long poll without a held slot. Each attempt asks once; while there is no
//! news it fails as `StillWaiting`, with the delay after which Temporal tries again.

// The constants that the macro makes carry no documentation.
#![allow(missing_docs)]

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use seedance_archiver_policy::poll::{self, NextPoll, Response};
use seedance_archiver_proto::{
    outcome,
    reason::{
        self, CANCELLED_AND_PURGED, OUTSIDE_QUERY_WINDOW, QUERY_WINDOW_CLOSED, RECORD_VANISHED,
        TASK_NOT_FOUND,
    },
    status,
    v1::{
        AwaitVideoTaskRequest, CancelVideoTaskRequest, CancelVideoTaskResult,
        QueryVideoTaskRequest, QueryVideoTaskResult, VideoTask, VideoTaskLifecycleResult,
    },
};
use seedance_archiver_workflows::{reply::Reply, request::Request, video_lost};
use temporalio_macros::activities;
use temporalio_sdk::activities::{ActivityContext, ActivityError};

use super::{cancel_video_task, failure, memory::Memory, waits::Waits};
use crate::{
    activities::task_query::{Questions, lacks_url},
    config::{Account, Accounts},
    seedance::{self, ErrorKind},
    telemetry::record::{self, PollResult},
};

/// Activities of the query task queue.
#[derive(Clone)]
pub struct QueryActivities {
    accounts: Accounts,
    questions: Questions,
    waits: Waits,
}

#[activities]
impl QueryActivities {
    /// Returns the record once its status differs from `known_status`.
    #[activity(name = "QueryVideoTask")]
    pub async fn query_video_task(
        self: Arc<Self>,
        ctx: ActivityContext,
        request: Request<QueryVideoTaskRequest>,
    ) -> Result<Reply<QueryVideoTaskResult>, ActivityError> {
        let encoding = request.encoding();
        let request = request.check().map_err(failure::invalid_request)?;
        let account = self.account(&request.account)?;
        let mut memory = Memory::recall(&ctx, &account, &request, encoding);
        let answer = self.questions.ask(&account, &request.task_id).await;
        let poll = match &answer {
            Ok(task) if is_news(task, &request) => PollResult::Changed,
            Ok(_) => PollResult::Unchanged,
            Err(_) => PollResult::Failed,
        };
        record::poll(account.name(), poll);
        let task = match answer {
            Ok(task) if poll == PollResult::Changed => news(&account, task, &request),
            Ok(task) => Err(no_news(&self.questions, &account, task, &mut memory).await),
            Err(error) => Err(no_record(&self.questions, &account, &error, &mut memory).await),
        };
        task.map(|task| Reply::new(self.questions.result(task), encoding))
    }

    /// Starts the lifecycle of a task or joins the one that is running, and returns its result.
    #[activity(name = "AwaitVideoTask")]
    pub async fn await_video_task(
        self: Arc<Self>,
        ctx: ActivityContext,
        request: Request<AwaitVideoTaskRequest>,
    ) -> Result<Reply<VideoTaskLifecycleResult>, ActivityError> {
        let encoding = request.encoding();
        let request = request.check().map_err(failure::invalid_request)?;
        let account = self.account(&request.account)?;
        let result = self.waits.wait(&ctx, &account, &request).await?;
        if result.outcome == outcome::LOST && !request.report_only {
            return Err(video_lost::failure(Reply::new(result, encoding)).into());
        }
        Ok(Reply::new(result, encoding))
    }

    /// Cancels the task where it is queued, and tells its status where it is not.
    #[activity(name = "CancelVideoTask")]
    pub async fn cancel_video_task(
        self: Arc<Self>,
        _ctx: ActivityContext,
        request: Request<CancelVideoTaskRequest>,
    ) -> Result<Reply<CancelVideoTaskResult>, ActivityError> {
        let encoding = request.encoding();
        let request = request.check().map_err(failure::invalid_request)?;
        let account = self.account(&request.account)?;
        let result = cancel_video_task::cancel(&self.questions, &account, &request.task_id).await;
        result.map(|result| Reply::new(result, encoding))
    }
}

impl QueryActivities {
    /// Activities that serve these accounts.
    pub fn new(accounts: Accounts, questions: Questions) -> Self {
        Self {
            accounts,
            questions,
            waits: Waits::default(),
        }
    }

    /// The same on a worker that serves transfers on this task queue too.
    pub(crate) fn with_transfers_on(self, task_queue: &str) -> Self {
        Self {
            questions: self.questions.with_transfers_on(task_queue),
            ..self
        }
    }

    fn account(&self, name: &str) -> Result<Arc<Account>, ActivityError> {
        self.accounts.get(name).map_err(failure::invalid_request)
    }
}

fn news(
    account: &Account,
    task: VideoTask,
    request: &QueryVideoTaskRequest,
) -> Result<VideoTask, ActivityError> {
    if status::is_terminal(&task.status) {
        record::detection(account.name(), task.updated_at);
    }
    match request.reveal_urls {
        true => reveal(account, task),
        false => Ok(task),
    }
}

/// For a caller that wants the plain URLs in its own history.
fn reveal(account: &Account, task: VideoTask) -> Result<VideoTask, ActivityError> {
    let retried = |error: String| {
        failure::retried(error, failure::UNAUTHORIZED, account.schedule.min_interval)
    };
    let seal = account.seal().map_err(|error| retried(error.to_string()))?;
    seal.revealed(task)
        .map_err(|error| retried(error.to_string()))
}

/// A task that succeeded is no news before there is something to fetch.
fn is_news(task: &VideoTask, request: &QueryVideoTaskRequest) -> bool {
    poll::is_later_status(&task.status, &request.known_status) && !lacks_url(task)
}

async fn no_news(
    questions: &Questions,
    account: &Account,
    task: VideoTask,
    memory: &mut Memory<'_>,
) -> ActivityError {
    let (answer, state) = if lacks_url(&task) {
        (Response::NoUrl, "succeeded, but without a URL".to_owned())
    } else {
        (Response::Unchanged, task.status.clone())
    };
    memory.saw(task.clone()).await;
    match poll::next(&account.schedule, &account.windows, &memory.known(), answer) {
        NextPoll::After(delay) => {
            let message = waiting_message(&state, &task, memory.attempt(), delay);
            failure::still_waiting(message, delay)
        }
        NextPoll::Never(reason) => {
            let reason = reason.unwrap_or(QUERY_WINDOW_CLOSED);
            let message = format!(
                "the window in which the task can be asked about has closed; it was still {state}"
            );
            let verdict = failure::verdict(reason, Some(questions.result(task)), memory.encoding());
            failure::settled(message, failure::QUERY_WINDOW_CLOSED, verdict)
        }
    }
}

async fn no_record(
    questions: &Questions,
    account: &Account,
    error: &seedance::Error,
    memory: &mut Memory<'_>,
) -> ActivityError {
    let never_seen = memory.known().last_seen.is_none();
    let answer = match error.kind() {
        ErrorKind::NotFound => Response::NotFound {
            since: memory.missed().await,
        },
        // An id that the service finds malformed is one that it does not know.
        ErrorKind::Rejected if never_seen => Response::NotFound {
            since: memory.missed().await,
        },
        _ => {
            memory.heard_nothing().await;
            Response::Error {
                retry_after: error.retry_after(),
            }
        }
    };
    match poll::next(&account.schedule, &account.windows, &memory.known(), answer) {
        NextPoll::After(delay) => {
            let message = format!("{error}; next question in {}", failure::seconds(delay));
            if error.kind() == ErrorKind::Throttled {
                return failure::still_waiting(message, delay);
            }
            failure::retried(message, error.failure_type(), delay)
        }
        NextPoll::Never(reason) => {
            let of_fault = reason::of_failure(error.failure_type());
            let reason = reason.unwrap_or(&of_fault);
            let failure_type = match reason {
                TASK_NOT_FOUND | CANCELLED_AND_PURGED => failure::TASK_NOT_FOUND,
                _ => failure::QUERY_WINDOW_CLOSED,
            };
            if never_seen && memory.is_of_lifecycle() {
                // Of others, an outcome is recorded, and counted then.
                record::lifecycle_end(account.name(), outcome::UNKNOWN);
            }
            let message = verdict_message(reason, account, error);
            let task = memory.last_record().map(|task| questions.result(task));
            let verdict = failure::verdict(reason, task, memory.encoding());
            failure::settled(message, failure_type, verdict)
        }
    }
}

fn waiting_message(state: &str, task: &VideoTask, attempt: u32, delay: Duration) -> String {
    let since = Timestamp::from_second(task.updated_at)
        .map(|time| format!(" since {time}"))
        .unwrap_or_default();
    format!(
        "still {state}{since}; asked {attempt} time{}; next question in {}",
        if attempt == 1 { "" } else { "s" },
        failure::seconds(delay)
    )
}

/// What the facts allow to say about a task without a record.
fn verdict_message(reason: &str, account: &Account, error: &seedance::Error) -> String {
    let meaning = match reason {
        TASK_NOT_FOUND => format!(
            "the service does not know this task: is it of another account or region than `{}`, {}?",
            account.name(),
            account.endpoint.base_url
        ),
        OUTSIDE_QUERY_WINDOW => {
            "by its id the task was too old to be asked about when it was asked about first".into()
        }
        CANCELLED_AND_PURGED => {
            "the task was queued when it was last seen, and is gone: it was cancelled".into()
        }
        RECORD_VANISHED => "the service no longer knows the task, although it had started".into(),
        _ => "the window in which the task can be asked about has closed".into(),
    };
    format!("{meaning}; the last answer was: {error}")
}
