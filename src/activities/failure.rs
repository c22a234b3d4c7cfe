//! The one place where errors become Temporal failures: their type, whether and when they are
//! retried.

use std::{error::Error, time::Duration};

use seedance_archiver_proto::{names::failure, v1::VideoTask};
use seedance_archiver_workflows::{question::Next, request::InvalidRequest};
use temporalio_common::error::{ApplicationErrorCategory, ApplicationFailure};
use temporalio_sdk::activities::ActivityError;

use crate::{archive, seedance};

/// Time before the second attempt at a transfer. It doubles with each one, because every attempt may
/// cost one of the 100 downloads that a URL allows.
const TRANSFER_RETRY: Duration = Duration::from_secs(10);
/// Longest time between two attempts at a transfer.
const LONGEST_TRANSFER_RETRY: Duration = Duration::from_secs(15 * 60);

/// The request is wrong, and stays so.
pub(super) fn invalid_request(error: InvalidRequest) -> ActivityError {
    ApplicationFailure::from(error).into()
}

/// The task has not changed: asked again after `delay`. Waiting is benign: it is no error and counts
/// in no error metric.
pub(super) fn still_waiting(message: String, delay: Duration) -> ActivityError {
    ApplicationFailure::builder(message)
        .type_name(failure::STILL_WAITING.to_owned())
        .next_retry_delay(delay)
        .category(ApplicationErrorCategory::Benign)
        .build()
        .into()
}

/// The API gave no record: asked again, unless that can no longer help. `last_record` is what was
/// seen before.
pub(super) fn no_record(
    error: &seedance::Error,
    next: Next,
    last_record: Option<VideoTask>,
) -> ActivityError {
    match next {
        Next::AskAgain(delay) => {
            let message = format!("{error}; next question in {}", seconds(delay));
            retried(message, error.failure_type(), delay)
        }
        Next::TaskNotFound => settled(
            format!("the service does not know this task in this account: {error}"),
            failure::TASK_NOT_FOUND,
        ),
        Next::WindowClosed => window_closed(&format!("the last answer was: {error}"), last_record),
    }
}

/// The task can no longer be asked about. The last record goes with the failure, so that whoever
/// waits knows whether the task was ever seen.
pub(super) fn window_closed(last_answer: &str, last_record: Option<VideoTask>) -> ActivityError {
    let message =
        format!("the window in which the task can be asked about has closed; {last_answer}");
    let failure = ApplicationFailure::builder(message)
        .type_name(failure::QUERY_WINDOW_CLOSED.to_owned())
        .non_retryable(true);
    match last_record {
        Some(task) => failure.details(task).build().into(),
        None => failure.build().into(),
    }
}

/// No URL works. `next` says whether a fresh one may still come.
pub(super) fn url_expired(message: &str, next: Next) -> ActivityError {
    match next {
        Next::AskAgain(delay) => {
            let message = format!("{message}; asking for a fresh one in {}", seconds(delay));
            retried(message, failure::URL_EXPIRED, delay)
        }
        Next::TaskNotFound | Next::WindowClosed => settled(message, failure::URL_EXPIRED),
    }
}

/// This attempt at a transfer failed: tried again, unless a person has to look.
pub(super) fn transfer_failed(error: archive::Error, attempt: u32) -> ActivityError {
    let failure_type = error.failure_type();
    match error {
        archive::Error::Cancelled => ActivityError::cancelled(),
        archive::Error::Conflict { .. } => settled(error, failure_type),
        error => retried(error, failure_type, transfer_retry(attempt)),
    }
}

fn transfer_retry(attempt: u32) -> Duration {
    let doubled = 2_u32.saturating_pow(attempt.saturating_sub(1));
    TRANSFER_RETRY
        .saturating_mul(doubled)
        .min(LONGEST_TRANSFER_RETRY)
}

/// A delay for people.
pub(super) fn seconds(delay: Duration) -> String {
    format!("{} s", delay.as_secs_f64().ceil())
}

fn retried(
    error: impl Into<Box<dyn Error + Send + Sync>>,
    failure_type: &str,
    delay: Duration,
) -> ActivityError {
    ApplicationFailure::builder(error)
        .type_name(failure_type.to_owned())
        .next_retry_delay(delay)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_at_a_transfer_spread_out() {
        let seconds = [1, 2, 3, 8, 100].map(|attempt| transfer_retry(attempt).as_secs());
        assert_eq!(seconds, [10, 20, 40, 900, 900]);
    }
}
