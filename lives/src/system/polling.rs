//! The activity `QueryVideoTask`: `run` of `query_video_task`.

use std::{mem, time::Duration};

use seedance_archiver_policy::poll::{
    NextPoll, PollProgress, PollTiming, Response, Wait, is_later_status, lacks_url,
};
use seedance_archiver_proto::{
    names::failure,
    reason::{self, QUERY_WINDOW_CLOSED, TASK_NOT_FOUND},
    time::from_unix_seconds,
    v1::{QueryProgress, VideoTask},
};
use seedance_archiver_seedance::ErrorKind;

use super::{
    System,
    state::{Polling, Stage},
};
use crate::{
    log::{By, What},
    mutation::Mutation,
    service::ApiError,
    time::{DAY, at, whole},
};

/// What follows from an attempt.
enum Step {
    /// Another attempt, after a delay.
    Again(Duration),
    /// The same, while the watcher polls the task.
    LeaveToWatcher(Duration),
    /// The task has changed.
    Changed(VideoTask),
    /// Polling can no longer help, for this reason.
    Verdict(String, Option<VideoTask>),
}

impl System<'_> {
    /// Makes an attempt, as soon as a worker runs.
    pub(super) fn poll(&mut self, task: usize) {
        let workers = self.world.workers_at(self.now);
        if workers > self.now {
            return self.next_poll(task, workers);
        }
        let Stage::Polling(mut polling) = self.take_stage(task) else {
            return;
        };
        let step = self.attempt(task, &mut polling);
        polling.attempt += 1;
        self.lifecycles[task].stage = Stage::Polling(polling);
        match step {
            Step::Again(delay) => {
                self.note(task, What::Waits(whole(delay)));
                self.next_poll(task, self.now + whole(delay));
            }
            Step::LeaveToWatcher(delay) => {
                self.note(task, What::LeftToWatcher(whole(delay)));
                self.next_poll(task, self.now + whole(delay));
            }
            Step::Changed(record) => self.received(task, record),
            Step::Verdict(reason, last) => self.give_up(task, self.now, &reason, last),
        }
    }

    fn attempt(&mut self, task: usize, polling: &mut Polling) -> Step {
        let request = mem::take(&mut polling.request);
        let wait = Wait {
            request: &request,
            scheduled_at: at(polling.scheduled_at),
            first_polled_at: from_unix_seconds(request.first_asked_at),
            last_polled_at: from_unix_seconds(request.last_polled_at),
            id_created_at: self.id_created_at[task],
        };
        let heartbeat = match self.has(Mutation::ForgetsTheLastAttempt) {
            true => QueryProgress::default(),
            false => mem::take(&mut polling.progress),
        };
        let mut progress = PollProgress::new(wait, heartbeat);
        let step = self.step(task, &mut progress, polling.attempt);
        polling.progress = progress.progress().clone();
        polling.request = request;
        step
    }

    fn step(&mut self, task: usize, progress: &mut PollProgress<'_>, attempt: u32) -> Step {
        let is_watched = self.covers(task);
        if let Some(verdict) = self.missed_window(progress, is_watched) {
            return verdict;
        }
        if let Some(delay) = self.timing(progress, is_watched).not_due(attempt) {
            return self.wait(delay, is_watched);
        }
        let left = self.timing(progress, is_watched).until_closed();
        match self.query(task, By::Lifecycle, left) {
            Some(Ok(record)) if self.has_changed(&record, progress) => Step::Changed(record),
            Some(Ok(record)) => self.unchanged(record, progress, is_watched),
            Some(Err(error)) => self.failed(&error, progress, is_watched),
            None => {
                let error = failure::RATE_LIMITED;
                self.without_record(Response::Postponed, error, progress, is_watched)
            }
        }
    }

    fn timing<'a>(&'a self, progress: &'a PollProgress<'_>, is_watched: bool) -> PollTiming<'a> {
        PollTiming {
            schedule: &self.schedule,
            windows: &self.windows,
            progress,
            expectation: &self.expectation,
            is_watched,
            now: at(self.now),
        }
    }

    fn missed_window(&self, progress: &PollProgress<'_>, is_watched: bool) -> Option<Step> {
        let timing = self.timing(progress, is_watched);
        if !timing.missed_window() || self.has(Mutation::PollsAfterTheWindow) {
            return None;
        }
        let response = progress.last_response();
        let NextPoll::Never(reason) = timing.next(response) else {
            return None;
        };
        Some(match response {
            Response::Unchanged | Response::NoUrl => {
                open_task(reason, progress.progress().task.clone())
            }
            _ => no_record(progress, reason, progress.last_error()),
        })
    }

    fn has_changed(&self, record: &VideoTask, progress: &PollProgress<'_>) -> bool {
        let known = &progress.request().known_status;
        let has_url = !lacks_url(record) || self.has(Mutation::ArchivesWithoutUrl);
        is_later_status(&record.status, known) && has_url
    }

    fn unchanged(
        &self,
        record: VideoTask,
        progress: &mut PollProgress<'_>,
        is_watched: bool,
    ) -> Step {
        let _ = progress.set_seen(&record, &self.windows, at(self.now));
        let response = match lacks_url(&record) {
            true => Response::NoUrl,
            false => Response::Unchanged,
        };
        let timing = self.timing(progress, is_watched);
        match timing.next(response) {
            NextPoll::After(delay) => self.wait(timing.backstop_or(delay), is_watched),
            NextPoll::Never(reason) => open_task(reason, Some(record)),
        }
    }

    fn wait(&self, delay: Duration, is_watched: bool) -> Step {
        match is_watched {
            true if self.has(Mutation::NeverPollsWatched) => {
                Step::LeaveToWatcher(Duration::from_secs(30 * DAY))
            }
            true => Step::LeaveToWatcher(delay),
            false => Step::Again(delay),
        }
    }

    /// Takes the error of a query.
    fn failed(&self, error: &ApiError, progress: &mut PollProgress<'_>, is_watched: bool) -> Step {
        let now = at(self.now);
        let is_not_found = match error.kind {
            ErrorKind::NotFound => true,
            // A service may reject an unknown id as malformed.
            ErrorKind::Rejected => !progress.was_seen(),
            _ => false,
        };
        let response = if is_not_found {
            let _ = progress.set_not_found(now);
            let since = progress.not_found_since().unwrap_or(now);
            Response::NotFound { since }
        } else {
            let _ = progress.set_failed(error.failure_type);
            let ignores = self.has(Mutation::IgnoresRetryAfter);
            let retry_after = error.retry_after.filter(|_| !ignores);
            Response::Error { retry_after }
        };
        if is_not_found && self.has(Mutation::GivesUpAfterOneNotFound) {
            return no_record(progress, Some(TASK_NOT_FOUND), error.failure_type);
        }
        if error.kind == ErrorKind::Unauthorized && self.has(Mutation::GivesUpWhenUnauthorized) {
            return no_record(progress, None, error.failure_type);
        }
        self.without_record(response, error.failure_type, progress, is_watched)
    }

    fn without_record(
        &self,
        response: Response,
        error: &str,
        progress: &PollProgress<'_>,
        is_watched: bool,
    ) -> Step {
        match self.timing(progress, is_watched).next(response) {
            NextPoll::After(delay) => Step::Again(delay),
            NextPoll::Never(reason) => no_record(progress, reason, error),
        }
    }
}

fn open_task(reason: Option<&str>, last: Option<VideoTask>) -> Step {
    Step::Verdict(reason.unwrap_or(QUERY_WINDOW_CLOSED).to_owned(), last)
}

/// Returns the verdict on a task whose last response was an error: that is the reason if there is no better one.
fn no_record(progress: &PollProgress<'_>, reason: Option<&str>, error: &str) -> Step {
    let by_error = || reason::from_failure_type(error);
    let reason = reason.map_or_else(by_error, str::to_owned);
    Step::Verdict(reason, progress.progress().task.clone())
}
