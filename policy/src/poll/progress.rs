//! What the attempts of one `QueryVideoTask` know of a task. The heartbeat carries it from one attempt to the next.

use std::time::{Duration, SystemTime};

use seedance_archiver_proto::{
    status,
    time::{from_unix_seconds, unix_seconds},
    v1::{QueryProgress, QueryVideoTaskRequest, VideoTask},
};

use super::{LastSeen, Response, TaskState, elapsed};
use crate::{completions::Expectation, windows::Windows};

/// A caller that waits for a change of a task. The times are those of the worker's clock.
#[derive(Clone, Copy, Debug)]
pub struct Wait<'a> {
    /// What the caller knows.
    pub request: &'a QueryVideoTaskRequest,
    /// When the first attempt was scheduled.
    pub scheduled_at: SystemTime,
    /// When the caller first polled the task. `None`: when the first attempt was scheduled.
    pub first_polled_at: Option<SystemTime>,
    /// When the caller last received a record. `None`: it does not say.
    pub last_polled_at: Option<SystemTime>,
    /// The creation time in the task id.
    pub id_created_at: Option<SystemTime>,
}

/// The records and errors that the attempts received.
#[derive(Clone, Debug)]
pub struct PollProgress<'a> {
    wait: Wait<'a>,
    progress: QueryProgress,
}

impl<'a> PollProgress<'a> {
    /// Returns the progress of earlier attempts.
    pub fn new(wait: Wait<'a>, progress: QueryProgress) -> Self {
        Self { wait, progress }
    }

    /// Notes a record. Returns whether the progress has to be saved: the record differs from the last one, or the last
    /// one was saved long ago.
    #[must_use]
    pub fn set_seen(&mut self, task: &VideoTask, windows: &Windows, now: SystemTime) -> bool {
        let is_same =
            self.progress.task.as_ref().is_some_and(|last| {
                (&last.status, last.updated_at) == (&task.status, task.updated_at)
            });
        let now = unix_seconds(now);
        let since_seen = Duration::from_secs((now - self.progress.seen_at).unsigned_abs());
        let is_old = since_seen > windows.cancelled_retention / 10;
        if is_same && !is_old && self.was_last_seen() {
            return false;
        }
        self.progress = QueryProgress {
            task: Some(task.clone()),
            not_found_since: 0,
            seen_at: now,
            last_error: String::new(),
        };
        true
    }

    /// Notes a 404. Returns whether the progress has to be saved: it is the first one of an unbroken series.
    #[must_use]
    pub fn set_not_found(&mut self, now: SystemTime) -> bool {
        if self.progress.not_found_since != 0 {
            return false;
        }
        self.progress.not_found_since = unix_seconds(now);
        self.progress.last_error.clear();
        true
    }

    /// Returns when the unbroken series of 404s began. `None`: the last response was no 404.
    pub fn not_found_since(&self) -> Option<SystemTime> {
        from_unix_seconds(self.progress.not_found_since)
    }

    /// Notes an error that does not depend on the task. It ends a series of 404s. Returns whether the progress has to be
    /// saved.
    #[must_use]
    pub fn set_failed(&mut self, failure_type: &str) -> bool {
        if self.progress.last_error == failure_type {
            return false;
        }
        self.progress.not_found_since = 0;
        self.progress.last_error = failure_type.to_owned();
        true
    }

    /// Returns the last response to an earlier attempt, or `Unchanged` if there was none.
    pub fn last_response(&self) -> Response {
        let QueryProgress {
            task, last_error, ..
        } = &self.progress;
        match self.not_found_since() {
            Some(since) => Response::NotFound { since },
            None if !last_error.is_empty() => Response::Error { retry_after: None },
            None if task.as_ref().is_some_and(lacks_url) => Response::NoUrl,
            None => Response::Unchanged,
        }
    }

    /// Returns the failure type of the last response, empty if it was no error.
    pub fn last_error(&self) -> &str {
        &self.progress.last_error
    }

    /// Returns whether the API has answered an attempt.
    pub fn has_response(&self) -> bool {
        self.progress.task.is_some() || !self.was_last_seen()
    }

    /// Returns whether the last response was a record, or there was none yet.
    pub fn was_last_seen(&self) -> bool {
        self.progress.not_found_since == 0 && self.progress.last_error.is_empty()
    }

    /// Returns when a record was last received, `None` if never.
    pub fn last_polled_at(&self) -> Option<SystemTime> {
        from_unix_seconds(self.progress.seen_at).max(self.wait.last_polled_at)
    }

    /// Returns how long the activity has waited, over all its attempts.
    pub fn waited(&self, now: SystemTime) -> Duration {
        elapsed(self.wait.scheduled_at, now)
    }

    /// Returns the state of the task now.
    pub fn task_state<'s>(
        &'s self,
        now: SystemTime,
        expectation: &'s Expectation,
    ) -> TaskState<'s> {
        let last_seen = match &self.progress.task {
            Some(task) => Some(LastSeen {
                created_at: from_unix_seconds(task.created_at),
                expires_at: expires_at(task),
                status: &task.status,
                at: from_unix_seconds(self.progress.seen_at).unwrap_or(now),
            }),
            None => self.request().was_seen.then(|| self.seen_by_caller()),
        };
        TaskState {
            last_seen,
            id_created_at: self.wait.id_created_at,
            first_polled_at: self.wait.first_polled_at.unwrap_or(self.wait.scheduled_at),
            now,
            expectation: Some(expectation),
        }
    }

    /// Returns what a record said that the caller saw before this activity was scheduled. `known_status` is the
    /// status of that record only if the request has its creation time too.
    fn seen_by_caller(&self) -> LastSeen<'_> {
        let created_at = from_unix_seconds(self.request().known_created_at);
        LastSeen {
            created_at,
            expires_at: None,
            status: created_at.map_or("", |_| self.request().known_status.as_str()),
            at: self.wait.scheduled_at,
        }
    }

    /// Returns whether a record was ever seen, by this activity or by its caller.
    pub fn was_seen(&self) -> bool {
        self.progress.task.is_some() || self.request().was_seen
    }

    /// Returns what the caller knows.
    pub fn request(&self) -> &'a QueryVideoTaskRequest {
        self.wait.request
    }

    /// Returns what the next attempt needs to know.
    pub fn progress(&self) -> &QueryProgress {
        &self.progress
    }
}

/// Returns whether a task succeeded but its record has no URL, either not yet or no longer.
pub fn lacks_url(task: &VideoTask) -> bool {
    let content = task.content.as_ref();
    let has_url = content.is_some_and(|it| !it.video_url.is_empty() || !it.file_url.is_empty());
    task.status == status::SUCCEEDED && !has_url
}

fn expires_at(task: &VideoTask) -> Option<SystemTime> {
    let lifetime = u64::try_from(task.execution_expires_after?).ok()?;
    from_unix_seconds(task.created_at)?.checked_add(Duration::from_secs(lifetime))
}

#[cfg(test)]
mod tests;
