//! Sends the request of a claimed submission.

use std::time::Duration;

use seedance_archiver_policy::submissions::{self, Answer, Effect, Meaning, Response};
use seedance_archiver_workflows::create_request::CreateBody;
use temporalio_sdk::activities::ActivityError;

use super::{
    super::failure,
    attempt::Attempt,
    begin::Begin,
    retry::{RETRY_DELAY, temporal_failure},
};
use crate::{
    seedance::{self, CallAnswer, ErrorMeaning},
    telemetry::record::{self, SubmissionResult},
};

/// What came of a request that was sent.
pub(super) enum Sent {
    /// It created this task.
    Created(String),
    /// Its answer was lost.
    Unanswered,
}

/// Sends the request, unless it is too late. If no task was created for sure, releases the claim and fails.
pub(super) async fn send(
    attempt: &Attempt<'_>,
    run_id: &str,
    begin: &Begin,
    body: CreateBody,
    callback_url: Option<String>,
) -> Result<Sent, ActivityError> {
    let clock = attempt.seedance.clock();
    if !submissions::may_send(begin.elapsed(clock)) {
        let reason = "the worker was suspended before it sent the request";
        release(attempt, run_id, reason).await?;
        return Err(failure::still_waiting(reason.to_owned(), RETRY_DELAY));
    }
    let (account, endpoint) = (attempt.account.name(), &attempt.account.endpoint);
    let body = body.into_text(callback_url);
    let created = attempt.seedance.create(endpoint, body);
    let error = match created.await {
        Ok(task_id) => {
            record::submission(account, SubmissionResult::Created);
            let submission_id = &attempt.submission_id;
            tracing::info!(account, task_id, submission_id, "created a task");
            return Ok(Sent::Created(task_id));
        }
        Err(error) => error,
    };
    match submissions::effect(answer_of(&error)) {
        Effect::Unknown => {
            let submission_id = &attempt.submission_id;
            tracing::warn!(account, submission_id, %error, "the answer to a create request was lost");
            Ok(Sent::Unanswered)
        }
        Effect::NotCreated => {
            record::submission(account, SubmissionResult::NotCreated);
            release(attempt, run_id, &format!("no task was created: {error}")).await?;
            Err(not_created(&error, attempt.ctx.info().attempt))
        }
        Effect::Rejected => {
            record::submission(account, SubmissionResult::Rejected);
            release(
                attempt,
                run_id,
                &format!("the service rejected the request: {error}"),
            )
            .await?;
            let message = format!("the service rejected the request: {error}");
            Err(failure::non_retryable(&message, failure::TASK_REJECTED))
        }
    }
}

/// Releases the claim. Without that, the next attempt does not know that nothing was created, so it is retried.
async fn release(attempt: &Attempt<'_>, run_id: &str, reason: &str) -> Result<(), ActivityError> {
    let mut released = Ok(());
    for _ in 0..5 {
        released = attempt.submission.release(run_id, reason).await;
        if released.is_ok() {
            break;
        }
        tokio::time::sleep(RETRY_DELAY).await;
    }
    released.map_err(|error| {
        temporal_failure(&format!("{reason}; cannot release the submission: {error}"))
    })
}

fn not_created(error: &seedance::Error, attempt: u32) -> ActivityError {
    let retry_after: Duration = error.retry_after().unwrap_or_default();
    let delay = submissions::retry_delay(attempt, retry_after);
    let message = format!(
        "no task was created: {error}; next attempt in {}",
        failure::seconds(delay)
    );
    failure::retryable(message, error.failure_type(), delay)
}

fn answer_of(error: &seedance::Error) -> Answer {
    match error.answer() {
        CallAnswer::NotSent => Answer::NotSent,
        CallAnswer::Nothing => Answer::Nothing,
        CallAnswer::Response { status, error } => Answer::Response(Response {
            status,
            error: error.map(|meaning| match meaning {
                ErrorMeaning::RateLimited => Meaning::RateLimited,
                ErrorMeaning::Unauthorized => Meaning::Unauthorized,
                ErrorMeaning::Invalid => Meaning::Invalid,
                ErrorMeaning::Other => Meaning::Other,
            }),
        }),
    }
}
