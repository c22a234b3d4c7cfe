//! The one place where errors become Temporal failures: their type, whether and when they are
//! retried.

use std::time::Duration;

pub(super) use seedance_archiver_proto::names::failure::*;
use seedance_archiver_proto::{
    query_result::WorkerFacts,
    v1::{QueryVideoTaskResult, Verdict, VideoTask},
};
use seedance_archiver_workflows::{
    encoding::Encoding, invalid_request::InvalidRequest, reply::Reply,
};
use temporalio_common::error::{ApplicationErrorCategory, ApplicationFailure};
use temporalio_sdk::activities::ActivityError;

use super::fault::Fault;

/// Time before the second attempt at a transfer. It doubles with each one, because every attempt may
/// cost one of the 100 downloads that a URL allows.
const TRANSFER_RETRY: Duration = Duration::from_secs(10);
/// Longest time between two attempts at a transfer.
const LONGEST_TRANSFER_RETRY: Duration = Duration::from_secs(15 * 60);
/// Attempts that there is always time for until the deadline.
const ATTEMPTS_LEFT: u32 = 20;

/// The request is wrong, and stays so.
pub(super) fn invalid_request(error: InvalidRequest) -> ActivityError {
    ApplicationFailure::from(error).into()
}

/// The task has not changed: asked again after `delay`. Waiting is benign: it is no error and counts
/// in no error metric.
pub(super) fn still_waiting(message: String, delay: Duration) -> ActivityError {
    ApplicationFailure::builder(message)
        .type_name(STILL_WAITING.to_owned())
        .next_retry_delay(delay)
        .category(ApplicationErrorCategory::Benign)
        .build()
        .into()
}

/// This attempt at a transfer failed: tried again while the bytes can be had, which is for `left`.
pub(super) fn transfer_failed(
    fault: Fault,
    attempt: u32,
    left: Duration,
    task: &VideoTask,
    encoding: Encoding,
) -> ActivityError {
    match fault {
        Fault::Invalid(error) => invalid_request(error),
        Fault::Cancelled => ActivityError::cancelled(),
        Fault::Conflict(error) => ApplicationFailure::builder(error)
            .type_name(STORE_CONFLICT.to_owned())
            .non_retryable(true)
            .build()
            .into(),
        Fault::Passing(fault) if left.is_zero() => {
            let message = format!("the video can no longer be had: {}", fault.message);
            let task = QueryVideoTaskResult::new(task.clone(), WorkerFacts::default());
            let verdict = verdict(&fault.reason, Some(task), encoding);
            settled(message, fault.failure_type, verdict)
        }
        Fault::Passing(fault) => {
            let delay = transfer_retry(attempt, left)
                .max(fault.retry_after)
                .min(left);
            let message = format!("{}; next attempt in {}", fault.message, seconds(delay));
            retried(message, fault.failure_type, delay)
        }
    }
}

/// The nearer the deadline, the shorter: what is left is enough for some attempts always.
fn transfer_retry(attempt: u32, left: Duration) -> Duration {
    let doubled = 2_u32.saturating_pow(attempt.saturating_sub(1));
    let longest = (left / ATTEMPTS_LEFT).min(LONGEST_TRANSFER_RETRY);
    TRANSFER_RETRY
        .saturating_mul(doubled)
        .min(longest.max(TRANSFER_RETRY))
}

/// A delay for people.
pub(super) fn seconds(delay: Duration) -> String {
    format!("{} s", delay.as_secs_f64().ceil())
}

/// Tried again after `delay`, and counted as an error until then.
pub(super) fn retried(message: String, failure_type: &str, delay: Duration) -> ActivityError {
    ApplicationFailure::builder(message)
        .type_name(failure_type.to_owned())
        .next_retry_delay(delay)
        .build()
        .into()
}

/// The verdict on a task, in the encoding of the request. The last record goes with it, so that whoever
/// waits knows whether the task was ever seen.
pub(super) fn verdict(
    reason: &str,
    task: Option<QueryVideoTaskResult>,
    encoding: Encoding,
) -> Reply<Verdict> {
    let reason = reason.to_owned();
    Reply::new(Verdict { reason, task }, encoding)
}

/// Nothing more can be done about the task.
pub(super) fn settled(
    message: String,
    failure_type: &str,
    verdict: Reply<Verdict>,
) -> ActivityError {
    ApplicationFailure::builder(message)
        .type_name(failure_type.to_owned())
        .non_retryable(true)
        .details(verdict)
        .build()
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_at_a_transfer_spread_out() {
        let week = Duration::from_secs(7 * 24 * 60 * 60);
        let seconds = [1, 2, 3, 8, 100].map(|attempt| transfer_retry(attempt, week).as_secs());
        assert_eq!(seconds, [10, 20, 40, 900, 900]);
    }

    #[test]
    fn attempts_come_closer_as_the_deadline_nears() {
        let left = [36_000, 3_600, 600, 100, 1].map(Duration::from_secs);
        let seconds = left.map(|left| transfer_retry(100, left).as_secs());
        assert_eq!(seconds, [900, 180, 30, 10, 10]);
    }
}
