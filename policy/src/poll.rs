//! When to poll a task again, and when polling can no longer help.
//!
//! [`next`] decides after each response. Its input is the state of the task, the response and the time;
//! it reads no clock and remembers nothing.

mod progress;
mod schedule;
mod timing;

use std::time::{Duration, SystemTime};

use seedance_archiver_proto::{
    reason::{
        CANCELLED_AND_PURGED, OUTSIDE_QUERY_WINDOW, QUERY_WINDOW_CLOSED, RECORD_VANISHED,
        TASK_NOT_FOUND, URL_EXPIRED,
    },
    status,
};

pub use progress::{PollProgress, Wait, lacks_url};
pub use schedule::PollSchedule;
pub use timing::PollTiming;

use crate::{completions::Expectation, windows::Windows};

/// Maximum delay of a poll for which the worker's rate limit had no room. The task is no reason to wait for longer.
const MAX_POSTPONEMENT: Duration = Duration::from_secs(30);

/// The state of a task when a response arrives, as far as it is known.
#[derive(Clone, Copy, Debug)]
pub struct TaskState<'a> {
    /// The last record. `None` if the API never returned one.
    pub last_seen: Option<LastSeen<'a>>,
    /// The creation time in the task id. The format of ids is not documented, so this is a hint.
    pub id_created_at: Option<SystemTime>,
    /// When the task was polled for the first time.
    pub first_polled_at: SystemTime,
    /// When the response arrived.
    pub now: SystemTime,
    /// When the task is expected to end. `None`, or not informed: the interval is a tenth of the age.
    pub expectation: Option<&'a Expectation>,
}

/// The last record of a task.
#[derive(Clone, Copy, Debug)]
pub struct LastSeen<'a> {
    /// When the task was created. `None` if the record does not say.
    pub created_at: Option<SystemTime>,
    /// When an unfinished task becomes `expired`. `None` if the record does not say.
    pub expires_at: Option<SystemTime>,
    /// The status in the record.
    pub status: &'a str,
    /// When the record was received.
    pub at: SystemTime,
}

/// The response to a poll.
#[derive(Clone, Copy, Debug)]
pub enum Response {
    /// A record whose status is the last seen one, or an earlier one.
    Unchanged,
    /// The task succeeded, but its record has no URL.
    NoUrl,
    /// HTTP 404.
    NotFound {
        /// When the first 404 of an unbroken series was received.
        since: SystemTime,
    },
    /// An error that does not depend on the task.
    Error {
        /// The `Retry-After` of the response.
        retry_after: Option<Duration>,
    },
    /// None: no request was sent, because the worker's own rate limit was used up.
    Postponed,
}

/// What to do after a response.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum NextPoll {
    /// Poll again after this delay.
    After(Duration),
    /// Stop: polling can no longer help, for this reason. `None`: for the reason of the last error.
    Never(Option<&'static str>),
}

/// Decides when to poll a task again.
///
/// The interval follows from when the task is expected to end or, if that is not known, is a tenth of its age. It is
/// within the bounds of the schedule and no shorter than `Retry-After`. Neither the schedule nor `Retry-After` can move
/// the last poll out of the query window. If the last poll fails, it is repeated while the window is open.
pub fn next(
    schedule: &PollSchedule,
    windows: &Windows,
    state: &TaskState,
    response: Response,
) -> NextPoll {
    let until_final = match not_found_is_final(schedule, windows, state, response) {
        Some((Duration::ZERO, reason)) => return NextPoll::Never(Some(reason)),
        Some((left, _)) => left,
        None => Duration::MAX,
    };
    let has_record = matches!(response, Response::Unchanged | Response::NoUrl);
    let left = match windows.until_last_poll(state.created_at(), state.now) {
        Some(left) => left,
        None if has_record => Duration::ZERO,
        // The last poll failed: repeat it after half of the time left in the margin, unless that is too soon.
        None => {
            let left = windows.until_closed(state.created_at(), state.now) / 2;
            match left < schedule.min_interval / 2 {
                true => Duration::ZERO,
                false => left,
            }
        }
    };
    if left.is_zero() {
        return NextPoll::Never(window_closed_reason(windows, state, response));
    }
    let interval = interval(schedule, state, response);
    // If the task ends right after this poll, its URL works for as long again after the next one.
    let max = (windows.url_lifetime / 2).max(schedule.min_interval);
    NextPoll::After(interval.min(max).min(until_final).min(left))
}

/// Returns the delay of a poll that is not due yet, such that the last poll stays inside the query window. `None` if it is
/// due because of that.
pub fn delayed(windows: &Windows, state: &TaskState, delay: Duration) -> Option<Duration> {
    let left = windows.until_last_poll(state.created_at(), state.now)?;
    Some(delay.min(left))
}

fn interval(schedule: &PollSchedule, state: &TaskState, response: Response) -> Duration {
    let interval = schedule.interval_at(state.age());
    match response {
        Response::Unchanged => {
            let learned = state.until_expected(schedule, state.age());
            let interval = learned.map_or(interval, |learned| learned.max(schedule.min_interval));
            match state.until_expired() {
                // The status changes to `expired` then.
                Some(left) => interval.min(left + schedule.min_interval),
                None => interval,
            }
        }
        Response::Error { retry_after } => {
            let requested = retry_after.unwrap_or_default();
            // The time left in the window is unknown if the API never returned a record.
            let max_requested = match state.last_seen {
                Some(_) => Duration::MAX,
                None => schedule.not_found_grace,
            };
            // The poll saw nothing of the task, so the next one is not due earlier than it was before.
            let seen_at = state.seen_unfinished_at();
            let learned = seen_at.and_then(|seen_at| state.until_expected(schedule, seen_at));
            interval
                .max(learned.unwrap_or_default())
                .max(requested.min(max_requested))
        }
        Response::Postponed => interval.min(MAX_POSTPONEMENT),
        Response::NoUrl | Response::NotFound { .. } => interval,
    }
}

/// Returns the time until a 404 is final although the query window is still open, and the reason to stop with.
/// Returns `None` if a 404 is not final before the window closes.
///
/// A 404 is final only after the grace period. Then a task without any record does not exist, and one whose record does not
/// say when it was created, but whose id does, can no longer be queried if it was too old. A task that was last
/// seen queued was cancelled and purged if the 404s began when the record of a cancellation could already be purged:
/// until then the record of a cancelled task is visible, so an earlier 404 has another cause. Every other task is polled
/// until the window closes.
fn not_found_is_final(
    schedule: &PollSchedule,
    windows: &Windows,
    state: &TaskState,
    response: Response,
) -> Option<(Duration, &'static str)> {
    let Response::NotFound { since } = response else {
        return None;
    };
    let left = |period: Duration, from| period.saturating_sub(elapsed(from, state.now));
    let grace = left(schedule.not_found_grace, since);
    match state.last_seen {
        None => Some((grace, reason_without_record(windows, state, since))),
        // The window counts from the first poll, and may have closed long ago.
        Some(seen) if seen.created_at.is_none() && was_closed_by_id(windows, state, since) => {
            Some((grace, QUERY_WINDOW_CLOSED))
        }
        Some(seen) if [status::QUEUED, status::CANCELLED].contains(&seen.status) => {
            // The time of the last record may be too early by a tenth of the retention.
            let retention = windows.cancelled_retention + windows.cancelled_retention / 10;
            let can_be_purge = elapsed(seen.at, since) >= retention;
            can_be_purge.then_some((grace, CANCELLED_AND_PURGED))
        }
        Some(_) => None,
    }
}

/// Returns the reason for stopping after 404s since `since` and never a record. A 404 means that the task does not exist
/// only if its window was open, by the time in its id.
fn reason_without_record(windows: &Windows, state: &TaskState, since: SystemTime) -> &'static str {
    if was_closed_by_id(windows, state, state.first_polled_at) {
        OUTSIDE_QUERY_WINDOW
    } else if was_closed_by_id(windows, state, since) {
        QUERY_WINDOW_CLOSED
    } else {
        TASK_NOT_FOUND
    }
}

/// Returns whether the query window had closed at a time, by the creation time in the id.
fn was_closed_by_id(windows: &Windows, state: &TaskState, at: SystemTime) -> bool {
    let created_at = state.id_created_at;
    created_at.is_some_and(|created_at| windows.is_closed(created_at, at))
}

/// Returns the reason for stopping when the query window has closed.
fn window_closed_reason(
    windows: &Windows,
    state: &TaskState,
    response: Response,
) -> Option<&'static str> {
    match response {
        Response::Unchanged if windows.is_closed(state.created_at(), state.first_polled_at) => {
            Some(OUTSIDE_QUERY_WINDOW)
        }
        Response::Unchanged => Some(QUERY_WINDOW_CLOSED),
        Response::NoUrl => Some(URL_EXPIRED),
        Response::NotFound { since } if state.last_seen.is_none() => {
            Some(reason_without_record(windows, state, since))
        }
        Response::NotFound { .. } => Some(RECORD_VANISHED),
        Response::Error { .. } | Response::Postponed => None,
    }
}

impl TaskState<'_> {
    /// Returns whether the API no longer returns the task, by the creation time in its record.
    pub fn is_window_closed(&self, windows: &Windows) -> bool {
        let created_at = self.last_seen.and_then(|seen| seen.created_at);
        created_at.is_some_and(|created_at| windows.is_closed(created_at, self.now))
    }

    /// Returns the creation time of the task, or the time of the first poll while it is unknown.
    fn created_at(&self) -> SystemTime {
        self.last_seen
            .and_then(|seen| seen.created_at)
            .unwrap_or(self.first_polled_at)
    }

    /// Returns the age of the task, or the time since the first poll while its creation time is unknown.
    pub fn age(&self) -> Duration {
        elapsed(self.created_at(), self.now)
    }

    /// Returns the age at which the last record was received, if the task was unfinished.
    fn seen_unfinished_at(&self) -> Option<Duration> {
        let seen = self
            .last_seen
            .filter(|seen| !status::is_terminal(seen.status))?;
        Some(elapsed(self.created_at(), seen.at))
    }

    /// Returns the time until the poll after the one at the age `polled_at`. `None` if not enough is known.
    fn until_expected(&self, schedule: &PollSchedule, polled_at: Duration) -> Option<Duration> {
        let next = schedule.next_poll(self.expectation, Some(polled_at), self.age())?;
        Some(next.saturating_sub(self.age()))
    }

    fn until_expired(&self) -> Option<Duration> {
        self.last_seen?.expires_at?.duration_since(self.now).ok()
    }
}

fn elapsed(from: SystemTime, now: SystemTime) -> Duration {
    now.duration_since(from).unwrap_or_default()
}

/// Returns whether `status` is later than `known_status` in the life of a task: queued, running, terminal.
///
/// A task never moves backward, so an earlier status comes from a stale replica or a stale completion. A
/// status that is not documented counts as running: a service that reports progress as its status must not
/// fill the workflow's history.
pub fn is_later_status(status: &str, known_status: &str) -> bool {
    let step = |status: &str| match status {
        "" => 0,
        status::QUEUED => 1,
        status if status::is_terminal(status) => 3,
        _ => 2,
    };
    step(status) > step(known_status)
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
