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

use super::{failure, heartbeat, transfer_heartbeat};

/// A request that waits for a worker that serves its account.
pub(crate) trait AwaitsAccount {
    /// Returns the account that the request names.
    fn account(&self) -> &str;

    /// Returns when no worker can help any more, `None` if the caller decides that. `first_attempt_at` is the time of
    /// the first attempt, `known` the archive deadline that workers know which serve the account.
    fn deadline(
        &self,
        _first_attempt_at: SystemTime,
        _known: Option<SystemTime>,
    ) -> Option<SystemTime> {
        None
    }

    /// Returns when the newest URL expires that an attempt received.
    fn fresh_url_expires_at(&self, _ctx: &ActivityContext) -> Option<SystemTime> {
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

    fn deadline(
        &self,
        first_attempt_at: SystemTime,
        known: Option<SystemTime>,
    ) -> Option<SystemTime> {
        accounts::query_deadline(first_attempt_at, known)
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

    fn deadline(
        &self,
        first_attempt_at: SystemTime,
        known: Option<SystemTime>,
    ) -> Option<SystemTime> {
        accounts::archive_deadline(first_attempt_at, known)
    }

    fn fresh_url_expires_at(&self, ctx: &ActivityContext) -> Option<SystemTime> {
        let fresh_url = transfer_heartbeat::last(ctx).fresh_urls.times();
        fresh_url.and_then(|url| url.expires_at)
    }

    fn last_record(&self, _: &ActivityContext) -> Option<VideoTask> {
        self.task.clone()
    }
}

impl AwaitsAccount for AwaitVideoTaskRequest {
    fn account(&self) -> &str {
        &self.account
    }

    fn deadline(&self, first_attempt_at: SystemTime, _: Option<SystemTime>) -> Option<SystemTime> {
        accounts::query_deadline(first_attempt_at, None)
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

    fn deadline(&self, first_attempt_at: SystemTime, _: Option<SystemTime>) -> Option<SystemTime> {
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

    fn deadline(&self, first_attempt_at: SystemTime, _: Option<SystemTime>) -> Option<SystemTime> {
        first_attempt_at.checked_add(DELIVERY_TIME)
    }
}

impl AwaitsAccount for SweepVideoTaskPageRequest {
    fn account(&self) -> &str {
        &self.account
    }

    fn deadline(&self, first_attempt_at: SystemTime, _: Option<SystemTime>) -> Option<SystemTime> {
        accounts::sweep_deadline(first_attempt_at)
    }
}

/// Returns the archive deadline in a record, by the windows of its account.
fn deadline_in(task: &VideoTask) -> Option<SystemTime> {
    from_unix_seconds(task.archive_deadline)
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
    let last_record = request.last_record(ctx);
    let known = last_record.as_ref().and_then(deadline_in);
    let known = known.max(request.fresh_url_expires_at(ctx));
    let deadline = request.deadline(first_attempt_at, known);
    match accounts::retry_delay(info.attempt, deadline, now) {
        Some(delay) => {
            let message = format!("{error}; next attempt in {}", failure::seconds(delay));
            failure::retryable(message, UNKNOWN_ACCOUNT, delay)
        }
        None => {
            let task =
                last_record.map(|task| QueryVideoTaskResult::new(task, WorkerFacts::default()));
            let verdict = failure::verdict(reason::UNKNOWN_ACCOUNT, task, encoding);
            let message = format!("no worker served the account until the deadline: {error}");
            failure::with_verdict(message, UNKNOWN_ACCOUNT, verdict)
        }
    }
}
