//! When an attempt of `QueryVideoTask` polls: not while the watcher of the account polls the task, or a record was just
//! received.

use std::time::{Duration, SystemTime};

use super::{NextPoll, PollProgress, PollSchedule, Response, TaskState, delayed, next};
use crate::{completions::Expectation, watch, windows::Windows};

/// Maximum delay of the first poll of a task that is expected to take long. The first record shows what kind of task it
/// is, and whether it exists.
const MAX_FIRST_DELAY: Duration = Duration::from_secs(60);
/// A task of which no record was seen, and whose query window closes so soon according to its id, is polled at once. The
/// watcher may need minutes, for example while the API fails.
const CLOSES_SOON: Duration = Duration::from_secs(60 * 60);

/// What decides when a poll is due.
#[derive(Clone, Copy, Debug)]
pub struct PollTiming<'a> {
    /// How often the tasks of the account are polled.
    pub schedule: &'a PollSchedule,
    /// How long the task can be queried.
    pub windows: &'a Windows,
    /// What is known of the task.
    pub progress: &'a PollProgress<'a>,
    /// When the task is expected to end.
    pub expectation: &'a Expectation,
    /// Whether the watcher of the account polls the task too.
    pub is_watched: bool,
    /// The time.
    pub now: SystemTime,
}

impl PollTiming<'_> {
    /// Returns the delay of a poll that is not due yet: the watcher polls the task, or the caller has just received a
    /// record. `None` if the poll is due. `attempt` counts from 1.
    pub fn not_due(&self, attempt: u32) -> Option<Duration> {
        let request = self.progress.request();
        if request.known_status.is_empty() {
            // The caller wants the first record.
            return None;
        }
        let is_first = attempt == 1;
        let is_nudged = request.poll_now && !self.progress.has_response();
        if is_nudged || !is_first && !self.is_watched {
            return None;
        }
        if !self.progress.was_last_seen() {
            // The lifecycle itself has to find out what the error means.
            return None;
        }
        let state = self.state();
        if !self.progress.was_seen() && self.may_close_soon(&state) {
            return None;
        }
        let delay = match (self.is_watched, self.progress.last_polled_at()) {
            (true, None) if is_first && !self.progress.was_seen() => watch::first_backstop(),
            (true, last_polled_at) => self.until_backstop(&state, last_polled_at),
            (false, Some(at)) => self.until_next(&state, at),
            (false, None) => self.until_first(&state),
        };
        delayed(self.windows, &state, delay).filter(|delay| !delay.is_zero())
    }

    /// Returns the delay of the next poll of an unchanged task: a longer one while the watcher polls it.
    pub fn backstop_or(&self, delay: Duration) -> Duration {
        let state = self.state();
        let backstop = self.backstop(state.age());
        match self.is_watched {
            true => delayed(self.windows, &state, backstop).unwrap_or(delay),
            false => delay,
        }
    }

    /// Decides when to poll the task again after a response.
    pub fn next(&self, response: Response) -> NextPoll {
        next(self.schedule, self.windows, &self.state(), response)
    }

    /// Returns whether the query window closed before this attempt, for example because no worker ran. The API must not
    /// be queried then.
    pub fn missed_window(&self) -> bool {
        self.state().is_window_closed(self.windows)
    }

    /// Returns the time left until the query window closes. A window that is only estimated, because no record says when
    /// the task was created, limits nothing: it may still be open.
    pub fn until_closed(&self) -> Duration {
        let created_at = self.state().last_seen.and_then(|seen| seen.created_at);
        created_at.map_or(Duration::MAX, |created_at| {
            self.windows.until_closed(created_at, self.now)
        })
    }

    /// Returns whether the query window closes soon, or has closed, according to the id of the task.
    fn may_close_soon(&self, state: &TaskState) -> bool {
        let id_created_at = state.id_created_at;
        id_created_at.is_some_and(|at| self.windows.until_closed(at, self.now) < CLOSES_SOON)
    }

    fn state(&self) -> TaskState<'_> {
        self.progress.task_state(self.now, self.expectation)
    }

    /// Returns the time until the poll that follows the one at a time before now.
    fn until_next(&self, state: &TaskState, polled_at: SystemTime) -> Duration {
        let state_then = TaskState {
            now: polled_at,
            ..*state
        };
        let since = state.now.duration_since(polled_at).unwrap_or_default();
        match next(
            self.schedule,
            self.windows,
            &state_then,
            Response::Unchanged,
        ) {
            NextPoll::After(delay) => delay.saturating_sub(since),
            NextPoll::Never(_) => Duration::ZERO,
        }
    }

    /// Returns the time until a watched task is polled by its own lifecycle.
    fn until_backstop(&self, state: &TaskState, last_polled_at: Option<SystemTime>) -> Duration {
        let since = last_polled_at.and_then(|at| state.now.duration_since(at).ok());
        let since = since.unwrap_or_else(|| self.progress.waited(self.now));
        self.backstop(state.age().saturating_sub(since))
            .saturating_sub(since)
    }

    /// Returns how long after its last answer a watched task of this age is polled by its own lifecycle. If it ends right
    /// after that, half of the life of its URL is left for the transfer.
    fn backstop(&self, age: Duration) -> Duration {
        watch::backstop(age).min(self.windows.url_lifetime / 2)
    }

    /// Returns the time until the first poll. A task whose age is not known is polled at once: it may have ended.
    fn until_first(&self, state: &TaskState) -> Duration {
        let Some(created_at) = state.id_created_at else {
            return Duration::ZERO;
        };
        let age = state.now.duration_since(created_at).unwrap_or_default();
        let delay = self.schedule.first_poll_after(state.expectation, age);
        delay.min(MAX_FIRST_DELAY)
    }
}

#[cfg(test)]
mod tests;
