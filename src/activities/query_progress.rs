//! The state of a task across the attempts of one `QueryVideoTask`. The heartbeat carries it from one attempt
//! to the next, so that it takes no space in history.

use std::time::{Duration, SystemTime};

use seedance_archiver_clock::Clock;
use seedance_archiver_policy::{
    completions::Expectation,
    poll::{LastSeen, Response, TaskState},
};
use seedance_archiver_proto::{
    time::{from_unix_seconds, unix_seconds},
    v1::{QueryProgress, QueryVideoTaskRequest, VideoTask},
};
use temporalio_sdk::activities::ActivityContext;

use super::{heartbeat, learned_times::LearnedTimes, task_queries::lacks_url, waiting};
use crate::{config::Account, seedance::created_at_in_id};

/// The records and errors that the attempts of one `QueryVideoTask` received.
pub(super) struct PollProgress<'a> {
    ctx: &'a ActivityContext,
    account: &'a Account,
    request: &'a QueryVideoTaskRequest,
    clock: &'a Clock,
    times: &'a LearnedTimes,
    progress: QueryProgress,
    /// When the task is expected to end.
    expectation: Expectation,
}

impl<'a> PollProgress<'a> {
    /// Loads the progress of earlier attempts, or an empty one if no heartbeat is readable by this version.
    pub(super) fn load(
        ctx: &'a ActivityContext,
        account: &'a Account,
        request: &'a QueryVideoTaskRequest,
        clock: &'a Clock,
        times: &'a LearnedTimes,
    ) -> Self {
        let progress: QueryProgress = heartbeat::last_details(ctx).unwrap_or_default();
        let expectation = times.expectation(account.name(), progress.task.as_ref());
        Self {
            ctx,
            account,
            request,
            clock,
            times,
            progress,
            expectation,
        }
    }

    /// Records that the service returned a record. Heartbeats only if the record differs from the last one, or
    /// the last heartbeat is old.
    pub(super) async fn set_seen(&mut self, task: &VideoTask) {
        let is_same =
            self.progress.task.as_ref().is_some_and(|last| {
                (&last.status, last.updated_at) == (&task.status, task.updated_at)
            });
        self.expectation = self.times.expectation(self.account.name(), Some(task));
        let now = unix_seconds(self.clock.now());
        let since_seen = Duration::from_secs((now - self.progress.seen_at).unsigned_abs());
        let is_old = since_seen > self.account.windows.cancelled_retention / 10;
        if !is_same || is_old || !self.was_last_seen() {
            self.progress = QueryProgress {
                task: Some(task.clone()),
                not_found_since: 0,
                seen_at: now,
                last_error: String::new(),
            };
            self.save().await;
        }
    }

    /// Records that the service returned 404. Returns when the unbroken series of 404s began.
    pub(super) async fn set_not_found(&mut self) -> SystemTime {
        if self.progress.not_found_since == 0 {
            self.progress.not_found_since = unix_seconds(self.clock.now());
            self.progress.last_error.clear();
            self.save().await;
        }
        from_unix_seconds(self.progress.not_found_since).unwrap_or_else(|| self.clock.now())
    }

    /// Records an error that does not depend on the task. It ends a series of 404s.
    pub(super) async fn set_failed(&mut self, failure_type: &str) {
        if self.progress.last_error != failure_type {
            self.progress.not_found_since = 0;
            self.progress.last_error = failure_type.to_owned();
            self.save().await;
        }
    }

    /// Returns the last response to an earlier attempt, or `Unchanged` if there was none.
    pub(super) fn last_response(&self) -> Response {
        let QueryProgress {
            task,
            not_found_since,
            last_error,
            ..
        } = &self.progress;
        match from_unix_seconds(*not_found_since) {
            Some(since) => Response::NotFound { since },
            None if !last_error.is_empty() => Response::Error { retry_after: None },
            None if task.as_ref().is_some_and(lacks_url) => Response::NoUrl,
            None => Response::Unchanged,
        }
    }

    /// Returns the failure type of the last response, empty if it was no error.
    pub(super) fn last_error(&self) -> &str {
        &self.progress.last_error
    }

    /// Returns whether the API has answered an attempt.
    pub(super) fn has_response(&self) -> bool {
        self.progress.task.is_some() || !self.was_last_seen()
    }

    /// Returns whether the last response was a record, or there was none yet.
    pub(super) fn was_last_seen(&self) -> bool {
        self.progress.not_found_since == 0 && self.progress.last_error.is_empty()
    }

    /// Returns when a record was last received, `None` if never.
    pub(super) fn last_polled_at(&self) -> Option<SystemTime> {
        let by_caller = from_unix_seconds(self.request.last_polled_at);
        let by_caller = by_caller.map(|time| self.clock.at_second(time));
        from_unix_seconds(self.progress.seen_at).max(by_caller)
    }

    /// Returns how long the activity has waited.
    pub(super) fn waited(&self) -> Duration {
        waiting::waited(self.ctx, self.clock)
    }

    /// Returns the state of the task now.
    pub(super) fn task_state(&self) -> TaskState<'_> {
        let now = self.clock.now();
        let scheduled_at = self.ctx.info().scheduled_time;
        let scheduled_at = scheduled_at.map_or(now, |time| self.clock.at(time));
        let last_seen = match &self.progress.task {
            Some(task) => Some(LastSeen {
                created_at: from_unix_seconds(task.created_at),
                expires_at: expires_at(task),
                status: &task.status,
                at: from_unix_seconds(self.progress.seen_at).unwrap_or(now),
            }),
            None => self
                .request
                .was_seen
                .then(|| self.seen_by_caller(scheduled_at)),
        };
        let first_polled_at = from_unix_seconds(self.request.first_asked_at);
        let first_polled_at = first_polled_at.map(|time| self.clock.at_second(time));
        TaskState {
            last_seen,
            id_created_at: created_at_in_id(&self.request.task_id),
            first_polled_at: first_polled_at.unwrap_or(scheduled_at),
            now,
            expectation: Some(&self.expectation),
        }
    }

    /// Returns what a record said that the caller saw before this activity was scheduled. `known_status` is the
    /// status of that record only if the request has its creation time too.
    fn seen_by_caller(&self, scheduled_at: SystemTime) -> LastSeen<'_> {
        let created_at = from_unix_seconds(self.request.known_created_at);
        LastSeen {
            created_at,
            expires_at: None,
            status: created_at.map_or("", |_| self.request.known_status.as_str()),
            at: scheduled_at,
        }
    }

    /// Returns whether a record was ever seen, by this activity or by its caller.
    pub(super) fn was_seen(&self) -> bool {
        self.progress.task.is_some() || self.request.was_seen
    }

    /// Returns the last record that this activity received.
    pub(super) fn last_record(&self) -> Option<VideoTask> {
        self.progress.task.clone()
    }

    /// Returns the details of a heartbeat.
    pub(super) fn details(&self) -> QueryProgress {
        self.progress.clone()
    }

    async fn save(&self) {
        heartbeat::record(self.ctx, self.details()).await;
    }
}

fn expires_at(task: &VideoTask) -> Option<SystemTime> {
    let lifetime = u64::try_from(task.execution_expires_after?).ok()?;
    from_unix_seconds(task.created_at)?.checked_add(Duration::from_secs(lifetime))
}
