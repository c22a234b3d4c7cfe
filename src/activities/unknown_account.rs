//! A request that names an account which this worker does not serve. Another worker may serve it, for example during a
//! rollout, so the attempt is retried until no worker could help.

use std::time::SystemTime;

use seedance_archiver_clock::Clock;
use seedance_archiver_policy::{accounts, events::DELIVERY_TIME};
use seedance_archiver_proto::{
    names::failure::UNKNOWN_ACCOUNT,
    query_result::WorkerFacts,
    reason,
    time::from_unix_seconds,
    v1::{
        ArchiveVideoRequest, AwaitVideoTaskRequest, CancelVideoTaskRequest, CreateVideoTaskRequest,
        DeliverEventRequest, FindSubmittedTaskRequest, QueryProgress, QueryVideoTaskRequest,
        QueryVideoTaskResult, RecordOutcomeRequest, SweepVideoTaskPageRequest, VideoTask,
        WatchAccountRequest,
    },
};
use seedance_archiver_workflows::{encoding::Encoding, invalid_request::InvalidRequest};
use temporalio_sdk::activities::{ActivityContext, ActivityError};

use super::{failure, heartbeat};
use crate::seedance::created_at_in_id;

/// A request that waits for a worker that serves its account.
pub(crate) trait AwaitsAccount {
    /// Returns the account that the request names.
    fn account(&self) -> &str;

    /// Returns when no worker can help any more, `None` if the caller decides that. `first_attempt_at` is the time of
    /// the first attempt.
    fn deadline(&self, _first_attempt_at: SystemTime, _clock: &Clock) -> Option<SystemTime> {
        None
    }

    /// Returns the last known record of the task.
    fn last_record(&self, _ctx: &ActivityContext) -> Option<VideoTask> {
        None
    }
}

impl AwaitsAccount for QueryVideoTaskRequest {
    fn account(&self) -> &str {
        &self.account
    }

    fn deadline(&self, first_attempt_at: SystemTime, clock: &Clock) -> Option<SystemTime> {
        let first_polled_at =
            || from_unix_seconds(self.first_asked_at).map(|at| clock.at_second(at));
        let created_at = from_unix_seconds(self.known_created_at)
            .or_else(|| created_at_in_id(&self.task_id))
            .or_else(first_polled_at);
        accounts::query_deadline(created_at.unwrap_or(first_attempt_at))
    }

    fn last_record(&self, ctx: &ActivityContext) -> Option<VideoTask> {
        let progress: Option<QueryProgress> = heartbeat::last_details(ctx);
        progress.and_then(|progress| progress.task)
    }
}

impl AwaitsAccount for ArchiveVideoRequest {
    fn account(&self) -> &str {
        &self.account
    }

    fn deadline(&self, first_attempt_at: SystemTime, _: &Clock) -> Option<SystemTime> {
        let in_task = self.task.as_ref().map(|task| task.archive_deadline);
        in_task
            .and_then(from_unix_seconds)
            .or_else(|| accounts::archive_deadline(first_attempt_at))
    }

    fn last_record(&self, _: &ActivityContext) -> Option<VideoTask> {
        self.task.clone()
    }
}

impl AwaitsAccount for AwaitVideoTaskRequest {
    fn account(&self) -> &str {
        &self.account
    }

    fn deadline(&self, first_attempt_at: SystemTime, _: &Clock) -> Option<SystemTime> {
        let created_at = created_at_in_id(&self.task_id);
        accounts::query_deadline(created_at.unwrap_or(first_attempt_at))
    }
}

impl AwaitsAccount for WatchAccountRequest {
    fn account(&self) -> &str {
        &self.account
    }
}

impl AwaitsAccount for CancelVideoTaskRequest {
    fn account(&self) -> &str {
        &self.account
    }
}

impl AwaitsAccount for CreateVideoTaskRequest {
    fn account(&self) -> &str {
        &self.account
    }
}

impl AwaitsAccount for FindSubmittedTaskRequest {
    fn account(&self) -> &str {
        &self.account
    }

    fn deadline(&self, first_attempt_at: SystemTime, _: &Clock) -> Option<SystemTime> {
        accounts::sweep_deadline(first_attempt_at)
    }
}

impl AwaitsAccount for RecordOutcomeRequest {
    fn account(&self) -> &str {
        &self.account
    }
}

impl AwaitsAccount for DeliverEventRequest {
    fn account(&self) -> &str {
        &self.account
    }

    fn deadline(&self, first_attempt_at: SystemTime, _: &Clock) -> Option<SystemTime> {
        first_attempt_at.checked_add(DELIVERY_TIME)
    }
}

impl AwaitsAccount for SweepVideoTaskPageRequest {
    fn account(&self) -> &str {
        &self.account
    }

    fn deadline(&self, first_attempt_at: SystemTime, _: &Clock) -> Option<SystemTime> {
        accounts::sweep_deadline(first_attempt_at)
    }
}

/// Returns the failure of an attempt: retryable, or a verdict after the deadline.
pub(super) fn failure(
    ctx: &ActivityContext,
    clock: &Clock,
    request: &impl AwaitsAccount,
    encoding: Encoding,
    error: &InvalidRequest,
) -> ActivityError {
    let info = ctx.info();
    let now = clock.now();
    let first_attempt_at = info.scheduled_time.map_or(now, |time| clock.at(time));
    let deadline = request.deadline(first_attempt_at, clock);
    match accounts::retry_delay(info.attempt, deadline, now) {
        Some(delay) => {
            let message = format!("{error}; next attempt in {}", failure::seconds(delay));
            failure::retryable(message, UNKNOWN_ACCOUNT, delay)
        }
        None => {
            let task = request.last_record(ctx);
            let task = task.map(|task| QueryVideoTaskResult::new(task, WorkerFacts::default()));
            let verdict = failure::verdict(reason::UNKNOWN_ACCOUNT, task, encoding);
            let message = format!("no worker served the account until the deadline: {error}");
            failure::with_verdict(message, UNKNOWN_ACCOUNT, verdict)
        }
    }
}
