//! The one place where errors become Temporal failures: their type, whether and when they are
//! retried. Waiting is benign: it is no error and counts in no error metric.

use std::{
    error::Error,
    time::{Duration, SystemTime},
};

use seedance_archiver_proto::names::failure;
use seedance_archiver_workflows::{
    question::{Known, Next},
    request::InvalidRequest,
};
use temporalio_common::error::{ApplicationErrorCategory, ApplicationFailure};
use temporalio_sdk::activities::ActivityError;

use crate::{archive, seedance};

/// Longest time between two attempts at a transfer that the video's host or the store failed.
const TRANSFER_RETRY: Duration = Duration::from_secs(10);

/// The request is wrong, and stays so.
pub(super) fn invalid_request(error: InvalidRequest) -> ActivityError {
    ApplicationFailure::from(error).into()
}

/// The task has not changed: asked again after `delay`.
pub(super) fn still_waiting(message: String, delay: Duration) -> ActivityError {
    waiting(message, failure::STILL_WAITING, delay)
}

/// The API gave no record: asked again, unless that can no longer help.
pub(super) fn no_record(error: &seedance::Error, next: Next) -> ActivityError {
    match next {
        Next::AskAgain(delay) => {
            let message = format!("{error}; next question in {}", seconds(delay));
            waiting(message, error.failure_type(), delay)
        }
        Next::TaskNotFound => settled(
            format!("the service does not know this task in this account: {error}"),
            failure::TASK_NOT_FOUND,
        ),
        Next::WindowClosed => window_closed(&format!("the last answer was: {error}")),
    }
}

/// The task can no longer be asked about.
pub(super) fn window_closed(last_answer: &str) -> ActivityError {
    settled(
        format!("the window in which the task can be asked about has closed; {last_answer}"),
        failure::QUERY_WINDOW_CLOSED,
    )
}

/// No URL works. `next` says whether a fresh one may still come.
pub(super) fn url_expired(message: &str, next: Next) -> ActivityError {
    match next {
        Next::AskAgain(delay) => {
            let message = format!("{message}; asking for a fresh one in {}", seconds(delay));
            waiting(message, failure::URL_EXPIRED, delay)
        }
        Next::TaskNotFound | Next::WindowClosed => settled(message, failure::URL_EXPIRED),
    }
}

/// The transfer failed: tried again, unless a person has to look.
pub(super) fn transfer_failed(error: archive::Error) -> ActivityError {
    let failure_type = error.failure_type();
    match error {
        archive::Error::Cancelled => ActivityError::cancelled(),
        archive::Error::Conflict { .. } => settled(error, failure_type),
        error => ApplicationFailure::builder(error)
            .type_name(failure_type.to_owned())
            .next_retry_delay(TRANSFER_RETRY)
            .build()
            .into(),
    }
}

/// What is known of a task, from the contract's Unix seconds and the activity's own times.
pub(super) fn known(created_at: i64, first_asked: Option<SystemTime>, now: SystemTime) -> Known {
    let created_at = u64::try_from(created_at)
        .ok()
        .filter(|seconds| *seconds > 0);
    Known {
        created_at: created_at
            .and_then(|seconds| SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds))),
        first_asked: first_asked.unwrap_or(now),
        now,
    }
}

/// A delay for people.
pub(super) fn seconds(delay: Duration) -> String {
    format!("{} s", delay.as_secs_f64().ceil())
}

fn waiting(message: String, failure_type: &str, delay: Duration) -> ActivityError {
    ApplicationFailure::builder(message)
        .type_name(failure_type.to_owned())
        .next_retry_delay(delay)
        .category(ApplicationErrorCategory::Benign)
        .build()
        .into()
}

fn settled(error: impl Into<Box<dyn Error + Send + Sync>>, failure_type: &str) -> ActivityError {
    ApplicationFailure::builder(error)
        .type_name(failure_type.to_owned())
        .non_retryable(true)
        .build()
        .into()
}
