//! `QueryVideoTask`: a long poll without a held slot. Each attempt asks once; while there is no
//! news it fails as `StillWaiting`, with the delay after which Temporal tries again.

// The constants that the macro makes carry no documentation.
#![allow(missing_docs)]

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use seedance_archiver_proto::{
    reason::{
        self, CANCELLED_AND_PURGED, OUTSIDE_QUERY_WINDOW, QUERY_WINDOW_CLOSED, RECORD_VANISHED,
        TASK_NOT_FOUND,
    },
    v1::{CancelVideoTaskRequest, CancelVideoTaskResult, QueryVideoTaskRequest, VideoTask},
};
use seedance_archiver_workflows::{
    question::{self, Answer, Next},
    request::Request,
};
use temporalio_macros::activities;
use temporalio_sdk::activities::{ActivityContext, ActivityError};

use super::{cancel_video_task, failure, memory::Memory};
use crate::{
    config::{Account, Accounts},
    questions::{Questions, lacks_url},
    seedance::{self, Reaction},
};

/// Activities of the query task queue.
pub struct QueryActivities {
    accounts: Accounts,
    questions: Questions,
}

#[activities]
impl QueryActivities {
    /// Returns the record once its status differs from `known_status`.
    #[activity(name = "QueryVideoTask")]
    pub async fn query_video_task(
        self: Arc<Self>,
        ctx: ActivityContext,
        request: Request<QueryVideoTaskRequest>,
    ) -> Result<VideoTask, ActivityError> {
        let request = request.check().map_err(failure::invalid_request)?;
        let account = self.account(&request.account)?;
        let mut memory = Memory::recall(&ctx, &account, &request);
        match self.questions.ask(&account, &request.task_id).await {
            Ok(task) if is_news(&task, &request) && request.reveal_urls => reveal(&account, task),
            Ok(task) if is_news(&task, &request) => Ok(task),
            Ok(task) => Err(no_news(&account, task, &mut memory).await),
            Err(error) => Err(no_record(&account, &error, &mut memory).await),
        }
    }

    /// Cancels the task where it is queued, and tells its status where it is not.
    #[activity(name = "CancelVideoTask")]
    pub async fn cancel_video_task(
        self: Arc<Self>,
        _ctx: ActivityContext,
        request: Request<CancelVideoTaskRequest>,
    ) -> Result<CancelVideoTaskResult, ActivityError> {
        let request = request.check().map_err(failure::invalid_request)?;
        let account = self.account(&request.account)?;
        cancel_video_task::cancel(&self.questions, &account, &request.task_id).await
    }
}

impl QueryActivities {
    /// Activities that serve these accounts.
    pub fn new(accounts: Accounts, questions: Questions) -> Self {
        Self {
            accounts,
            questions,
        }
    }

    fn account(&self, name: &str) -> Result<Arc<Account>, ActivityError> {
        self.accounts.get(name).map_err(failure::invalid_request)
    }
}

/// For a caller that wants the plain URLs in its own history.
fn reveal(account: &Account, task: VideoTask) -> Result<VideoTask, ActivityError> {
    let retried =
        |error: String| failure::retried(error, failure::UNAUTHORIZED, account.pace.shortest);
    let seal = account.seal().map_err(|error| retried(error.to_string()))?;
    seal.revealed(task)
        .map_err(|error| retried(error.to_string()))
}

/// A task that succeeded is no news before there is something to fetch.
fn is_news(task: &VideoTask, request: &QueryVideoTaskRequest) -> bool {
    question::is_news(&task.status, &request.known_status) && !lacks_url(task)
}

async fn no_news(account: &Account, task: VideoTask, memory: &mut Memory<'_>) -> ActivityError {
    let (answer, state) = if lacks_url(&task) {
        (Answer::NoUrl, "succeeded, but without a URL".to_owned())
    } else {
        (Answer::NoNews, task.status.clone())
    };
    memory.saw(task.clone()).await;
    match question::next(&account.pace, &account.windows, &memory.known(), answer) {
        Next::AskAgain(delay) => {
            let message = waiting_message(&state, &task, memory.attempt(), delay);
            failure::still_waiting(message, delay)
        }
        Next::Settled(reason) => {
            let reason = reason.unwrap_or(QUERY_WINDOW_CLOSED);
            let message = format!(
                "the window in which the task can be asked about has closed; it was still {state}"
            );
            failure::settled(message, failure::QUERY_WINDOW_CLOSED, reason, Some(task))
        }
    }
}

async fn no_record(
    account: &Account,
    error: &seedance::Error,
    memory: &mut Memory<'_>,
) -> ActivityError {
    let never_seen = memory.known().seen.is_none();
    let answer = match error.reaction() {
        Reaction::NotFound => Answer::NotFound {
            since: memory.missed().await,
        },
        // An id that the service finds malformed is one that it does not know.
        Reaction::Refused if never_seen => Answer::NotFound {
            since: memory.missed().await,
        },
        _ => {
            memory.heard_nothing().await;
            Answer::Fault {
                retry_after: error.retry_after(),
            }
        }
    };
    match question::next(&account.pace, &account.windows, &memory.known(), answer) {
        Next::AskAgain(delay) => {
            let message = format!("{error}; next question in {}", failure::seconds(delay));
            if error.reaction() == Reaction::OutOfTurn {
                return failure::still_waiting(message, delay);
            }
            failure::retried(message, error.failure_type(), delay)
        }
        Next::Settled(reason) => {
            let of_fault = reason::of_failure(error.failure_type());
            let reason = reason.unwrap_or(&of_fault);
            let failure_type = match reason {
                TASK_NOT_FOUND | CANCELLED_AND_PURGED => failure::TASK_NOT_FOUND,
                _ => failure::QUERY_WINDOW_CLOSED,
            };
            let message = verdict_message(reason, account, error);
            failure::settled(message, failure_type, reason, memory.last_record())
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
            account.name, account.base_url
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
