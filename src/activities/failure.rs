//! Converts errors to Temporal failures. Only this module decides their type, and whether and when they are
//! retried.
//!
//! Whatever the message quotes, it leaves this module bounded and without secrets: a failure that is too large would not
//! be retried.

use std::time::Duration;

use seedance_archiver_policy::transfers::{self, History, Side, TimeLeft};
pub(super) use seedance_archiver_proto::names::failure::*;
use seedance_archiver_proto::{
    external,
    query_result::WorkerFacts,
    reason::ERASED,
    v1::{QueryVideoTaskResult, Verdict, VideoTask},
};
use seedance_archiver_workflows::{
    encoding::Encoding, invalid_request::InvalidRequest, reply::Reply,
};
use temporalio_common::error::{ApplicationErrorCategory, ApplicationFailure};
use temporalio_sdk::activities::ActivityError;

use super::transfer_error::TransferError;
use crate::seedance::{self, ErrorKind};

/// Minimum delay of a retry: the server does not retry after a delay of zero.
const MIN_RETRY_DELAY: Duration = Duration::from_millis(1);

/// Returns the non-retryable failure of an invalid request.
pub(super) fn invalid_request(error: InvalidRequest) -> ActivityError {
    ApplicationFailure::from(error).into()
}

/// Returns the failure that ends an attempt without a result, retried after `delay`. It is benign: no error metric
/// counts it.
pub(super) fn still_waiting(message: String, delay: Duration) -> ActivityError {
    ApplicationFailure::builder(external::message(&message))
        .type_name(STILL_WAITING.to_owned())
        .next_retry_delay(delay.max(MIN_RETRY_DELAY))
        .category(ApplicationErrorCategory::Benign)
        .build()
        .into()
}

/// Returns a failure that is retried after `delay`.
pub(super) fn retryable(message: String, failure_type: &str, delay: Duration) -> ActivityError {
    ApplicationFailure::builder(external::message(&message))
        .type_name(failure_type.to_owned())
        .next_retry_delay(delay.max(MIN_RETRY_DELAY))
        .build()
        .into()
}

/// Returns a failure without a type, retried after `delay`.
pub(super) fn untyped_after(message: &str, delay: Duration) -> ActivityError {
    ApplicationFailure::builder(external::message(message))
        .next_retry_delay(delay)
        .build()
        .into()
}

/// Returns a failure without a type, retried as the activity's retry policy says.
pub(super) fn untyped(message: &str) -> ActivityError {
    ApplicationFailure::builder(external::message(message))
        .build()
        .into()
}

/// Returns a non-retryable failure without details.
pub(super) fn non_retryable(message: &str, failure_type: &str) -> ActivityError {
    ApplicationFailure::builder(external::message(message))
        .type_name(failure_type.to_owned())
        .non_retryable(true)
        .build()
        .into()
}

/// Returns the non-retryable failure that reports a verdict: no further attempt can help.
pub(super) fn with_verdict(
    message: String,
    failure_type: &str,
    verdict: Reply<Verdict>,
) -> ActivityError {
    ApplicationFailure::builder(external::message(&message))
        .type_name(failure_type.to_owned())
        .non_retryable(true)
        .details(verdict)
        .build()
        .into()
}

/// Returns the verdict on a task. `task` is the last record, `None` if the API never returned one.
pub(super) fn verdict(
    reason: &str,
    task: Option<QueryVideoTaskResult>,
    encoding: Encoding,
) -> Reply<Verdict> {
    let reason = reason.to_owned();
    Reply::new(Verdict { reason, task }, encoding)
}

/// Returns the failure of an attempt to transfer a task, retried until the archive deadline. `history` contains the error.
pub(super) fn for_transfer(
    error: TransferError,
    left: TimeLeft,
    task: &VideoTask,
    history: &History,
    encoding: Encoding,
) -> ActivityError {
    match error {
        TransferError::Invalid(error) => invalid_request(error),
        TransferError::Cancelled => ActivityError::cancelled(),
        TransferError::Conflict(error) => non_retryable(&error.to_string(), STORE_CONFLICT),
        TransferError::Erased(error) => {
            let task = QueryVideoTaskResult::new(task.clone(), WorkerFacts::default());
            let verdict = verdict(ERASED, Some(task), encoding);
            with_verdict(error.to_string(), VIDEO_ERASED, verdict)
        }
        TransferError::Retryable(error) if left.until_deadline.is_zero() => {
            let task = QueryVideoTaskResult::new(task.clone(), WorkerFacts::default());
            let found = history.verdict().unwrap_or_else(|| transfers::Verdict {
                message: format!("archive deadline passed; last error: {}", error.message),
                failure_type: error.failure_type.to_owned(),
                reason: error.reason,
            });
            let verdict = verdict(&found.reason, Some(task), encoding);
            with_verdict(found.message, &found.failure_type, verdict)
        }
        TransferError::Retryable(error) => {
            // Without a history, the delay is that after a first failure.
            let failures = history.streaks().of(error.side).failures;
            let delay = transfers::retry_delay(error.side, failures, left, error.retry_after);
            let risk = match error.side {
                Side::Url => format!(
                    "; at risk: the API returned no fresh URL, and the video is lost in {} unless it does",
                    hours(left.until_deadline)
                ),
                _ => String::new(),
            };
            let message = format!(
                "{}{risk}; next attempt in {}",
                error.message,
                seconds(delay)
            );
            retryable(message, error.failure_type, delay)
        }
    }
}

/// Returns the failure of a sweep that could not handle a task, or of an audit, retried after `delay`.
pub(super) fn for_sweep(error: TransferError, delay: Duration) -> ActivityError {
    match error {
        TransferError::Invalid(error) => invalid_request(error),
        TransferError::Cancelled => ActivityError::cancelled(),
        TransferError::Conflict(error) | TransferError::Erased(error) => {
            retryable(error.to_string(), error.failure_type(), delay)
        }
        TransferError::Retryable(error) => retryable(error.message, error.failure_type, delay),
    }
}

/// Returns the failure of a sweep that could not list a page, retried after `delay`.
pub(super) fn for_list(error: &seedance::Error, delay: Duration) -> ActivityError {
    let message = format!(
        "cannot list tasks: {error}; next attempt in {}",
        seconds(delay)
    );
    match error.kind() {
        ErrorKind::Unsupported => {
            let problem = format!("cannot be swept: {error}");
            invalid_request(InvalidRequest::new("account", problem))
        }
        _ => retryable(message, error.failure_type(), delay),
    }
}

/// Formats a long time for a message.
fn hours(time: Duration) -> String {
    match time.as_secs() {
        seconds if seconds < 2 * 60 * 60 => format!("{} min", seconds / 60),
        seconds => format!("{} h", seconds / (60 * 60)),
    }
}

/// Formats a delay for a message.
pub(super) fn seconds(delay: Duration) -> String {
    format!("{} s", delay.as_secs_f64().ceil())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive;

    const DELAY: Duration = Duration::from_secs(1);

    /// Returns the text of a failure, as it enters history and logs.
    fn text(error: ActivityError) -> String {
        let ActivityError::Application(failure) = error else {
            return format!("{error:?}");
        };
        let source = failure.source_error();
        assert!(source.source().is_none(), "a cause enters history too");
        source.to_string()
    }

    #[test]
    fn a_retry_without_a_delay_has_one() {
        for error in [
            still_waiting("waiting".to_owned(), Duration::ZERO),
            retryable("failed".to_owned(), STORE_UNAVAILABLE, Duration::ZERO),
        ] {
            let ActivityError::Application(failure) = error else {
                panic!("{error:?}");
            };
            assert_eq!(failure.next_retry_delay(), Some(MIN_RETRY_DELAY));
        }
    }

    #[test]
    fn every_failure_is_bounded_and_without_secrets() {
        let body = "<Token-0>FwoGZXIvYXdzEJr</Token-0>".to_owned() + &"<br/>".repeat(600_000);
        let verdict = || verdict("store_unavailable", None, Encoding::default());
        let conflict = || archive::Error::Conflict {
            name: body.clone(),
            archived: String::new(),
            new: String::new(),
        };
        let erased = || archive::Error::Erased {
            key: body.clone(),
            erased_at: None,
        };
        let store = || TransferError::retryable(body.clone(), STORE_UNAVAILABLE);
        let invalid = || InvalidRequest::new(body.clone(), body.clone());
        let for_transfer = |error, time| {
            let (task, history) = (VideoTask::default(), History::default());
            let left = TimeLeft {
                until_deadline: time,
                until_expiry: time,
                until_last_query: None,
            };
            for_transfer(error, left, &task, &history, Encoding::default())
        };
        for error in [
            still_waiting(body.clone(), DELAY),
            retryable(body.clone(), STORE_UNAVAILABLE, DELAY),
            untyped(&body),
            untyped_after(&body, DELAY),
            non_retryable(&body, STORE_CONFLICT),
            with_verdict(body.clone(), STORE_UNAVAILABLE, verdict()),
            invalid_request(invalid()),
            for_transfer(TransferError::Conflict(conflict()), DELAY),
            for_transfer(TransferError::Erased(erased()), DELAY),
            for_transfer(TransferError::Invalid(invalid()), DELAY),
            for_transfer(store(), DELAY),
            for_transfer(store(), Duration::ZERO),
            for_sweep(TransferError::Conflict(conflict()), DELAY),
            for_sweep(store(), DELAY),
        ] {
            let text = text(error);
            assert!(
                text.chars().count() <= external::MAX_MESSAGE,
                "{}",
                text.len()
            );
            assert!(text.contains("more characters"), "{text}");
            assert!(!text.contains("FwoG"), "{text}");
        }
    }
}
