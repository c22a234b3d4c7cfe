//! The state of a task across the attempts of one `QueryVideoTask`. The heartbeat carries it from one attempt
//! to the next, so that it takes no space in history.

use std::time::SystemTime;

use seedance_archiver_clock::Clock;
use seedance_archiver_policy::{
    completions::Expectation,
    poll::{self, PollTiming, Response, Wait},
};
use seedance_archiver_proto::{
    time::from_unix_seconds,
    v1::{QueryProgress, QueryVideoTaskRequest, VideoTask},
};
use temporalio_sdk::activities::ActivityContext;

use super::{heartbeat, learned_times::LearnedTimes};
use crate::{config::Account, seedance::created_at_in_id};

/// The records and errors that the attempts of one `QueryVideoTask` received.
pub(super) struct PollProgress<'a> {
    ctx: &'a ActivityContext,
    account: &'a Account,
    clock: &'a Clock,
    times: &'a LearnedTimes,
    known: poll::PollProgress<'a>,
    /// When the task is expected to end.
    expectation: Expectation,
    /// Whether the watcher of the account polls the task too.
    is_watched: bool,
}

impl<'a> PollProgress<'a> {
    /// Loads the progress of earlier attempts, or an empty one if no heartbeat is readable by this version.
    pub(super) fn load(
        ctx: &'a ActivityContext,
        account: &'a Account,
        request: &'a QueryVideoTaskRequest,
        clock: &'a Clock,
        times: &'a LearnedTimes,
        is_watched: bool,
    ) -> Self {
        let progress: QueryProgress = heartbeat::last_details(ctx).unwrap_or_default();
        let expectation = times.expectation(account.name(), progress.task.as_ref());
        let scheduled_at = ctx.info().scheduled_time;
        let by_caller = |time| from_unix_seconds(time).map(|time| clock.at_second(time));
        let wait = Wait {
            request,
            scheduled_at: scheduled_at.map_or_else(|| clock.now(), |time| clock.at(time)),
            first_polled_at: by_caller(request.first_asked_at),
            last_polled_at: by_caller(request.last_polled_at),
            id_created_at: created_at_in_id(&request.task_id),
        };
        Self {
            ctx,
            account,
            clock,
            times,
            known: poll::PollProgress::new(wait, progress),
            expectation,
            is_watched,
        }
    }

    /// Records that the service returned a record. Heartbeats only if the record differs from the last one, or
    /// the last heartbeat is old.
    pub(super) async fn set_seen(&mut self, task: &VideoTask) {
        self.expectation = self.times.expectation(self.account.name(), Some(task));
        let windows = &self.account.windows;
        if self.known.set_seen(task, windows, self.clock.now()) {
            self.save().await;
        }
    }

    /// Records that the service returned 404. Returns the response with the time when the unbroken series of 404s began.
    pub(super) async fn set_not_found(&mut self) -> Response {
        if self.known.set_not_found(self.clock.now()) {
            self.save().await;
        }
        let since = self.known.not_found_since();
        Response::NotFound {
            since: since.unwrap_or_else(|| self.clock.now()),
        }
    }

    /// Records an error that does not depend on the task. It ends a series of 404s.
    pub(super) async fn set_failed(&mut self, failure_type: &str) {
        if self.known.set_failed(failure_type) {
            self.save().await;
        }
    }

    /// Returns what is known of the task.
    pub(super) fn known(&self) -> &poll::PollProgress<'a> {
        &self.known
    }

    /// Returns whether the watcher of the account polls the task too.
    pub(super) fn is_watched(&self) -> bool {
        self.is_watched
    }

    /// Returns what decides now when to poll.
    pub(super) fn timing(&self) -> PollTiming<'_> {
        PollTiming {
            schedule: &self.account.schedule,
            windows: &self.account.windows,
            progress: &self.known,
            expectation: &self.expectation,
            is_watched: self.is_watched,
            now: self.clock.now(),
        }
    }

    /// Returns when the task was polled for the first time.
    pub(super) fn first_polled_at(&self) -> SystemTime {
        let state = self.known.task_state(self.clock.now(), &self.expectation);
        state.first_polled_at
    }

    /// Returns the last record that this activity received.
    pub(super) fn last_record(&self) -> Option<VideoTask> {
        self.details().task
    }

    /// Returns the details of a heartbeat.
    pub(super) fn details(&self) -> QueryProgress {
        self.known.progress().clone()
    }

    async fn save(&self) {
        heartbeat::record(self.ctx, self.details()).await;
    }
}
