//! When to ask about a task again, and what it means when asking can no longer help: pure functions
//! of what is known, the answer and the time.

use std::time::{Duration, SystemTime};

use seedance_archiver_proto::{
    reason::{
        CANCELLED_AND_PURGED, OUTSIDE_QUERY_WINDOW, QUERY_WINDOW_CLOSED, RECORD_VANISHED,
        TASK_NOT_FOUND, URL_EXPIRED,
    },
    status,
};

use crate::windows::Windows;

/// How questions about one account's tasks are paced.
#[derive(Clone, Debug, PartialEq)]
pub struct Pace {
    /// Shortest time between two questions.
    pub shortest: Duration,
    /// Longest time between two questions.
    pub longest: Duration,
    /// How long a task may be unknown before it counts as not existing: a task just created can
    /// answer 404.
    pub not_found_grace: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            shortest: Duration::from_secs(2),
            longest: Duration::from_secs(60),
            not_found_grace: Duration::from_secs(10 * 60),
        }
    }
}

/// What is known of a task when an answer comes in.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    /// What was last seen of it; `None` while no record ever was.
    pub seen: Option<Seen<'a>>,
    /// When its id says that it was created. Only a hint.
    pub id_time: Option<SystemTime>,
    /// When it was asked about for the first time.
    pub first_asked: SystemTime,
    /// The time of the answer.
    pub now: SystemTime,
}

/// A record that was seen.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// When the task was created, where the record says it.
    pub created_at: Option<SystemTime>,
    /// When an open task becomes `expired`, where the record says it.
    pub expires_at: Option<SystemTime>,
    /// The status that it had.
    pub status: &'a str,
    /// When it was last seen.
    pub at: SystemTime,
}

/// What a question brought.
#[derive(Clone, Copy, Debug)]
pub enum Answer {
    /// A record that tells nothing new.
    NoNews,
    /// The task succeeded, but the record has no URL: not yet, or no longer.
    NoUrl,
    /// There is no such task. `since` is when this was said first, without another answer in between.
    NotFound {
        /// The first time.
        since: SystemTime,
    },
    /// Nothing that tells about the task.
    Fault {
        /// How long the service wants to be left alone.
        retry_after: Option<Duration>,
    },
}

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Next {
    /// Ask again after this delay.
    AskAgain(Duration),
    /// Asking can no longer help, for this reason. `None`: for that of the last fault.
    Settled(Option<&'static str>),
}

/// When to ask again after an answer, or why not.
///
/// The delay is a tenth of the task's age, within bounds and never shorter than what the service
/// asked for. The last question falls inside the window, whatever the schedule or the service
/// wanted; one that failed is asked again while the window is open.
pub fn next(pace: &Pace, windows: &Windows, known: &Known, answer: Answer) -> Next {
    let settled_in = match settles(pace, windows, known, answer) {
        Some((Duration::ZERO, reason)) => return Next::Settled(Some(reason)),
        Some((left, _)) => left,
        None => Duration::MAX,
    };
    let is_about_the_task = matches!(answer, Answer::NoNews | Answer::NoUrl);
    let left = match windows.until_last_question(known.created_at(), known.now) {
        Some(left) => left,
        None if is_about_the_task => Duration::ZERO,
        None => windows.until_closed(known.created_at(), known.now) / 2,
    };
    if left.is_zero() || left < pace.shortest / 2 && !is_about_the_task {
        return Next::Settled(closed(windows, known, answer));
    }
    let delay = delay(pace, known, answer);
    Next::AskAgain(delay.min(settled_in).min(left))
}

fn delay(pace: &Pace, known: &Known, answer: Answer) -> Duration {
    let delay = (known.age() / 10).clamp(pace.shortest, pace.longest.max(pace.shortest));
    match (answer, known.until_expired()) {
        (Answer::Fault { retry_after }, _) => {
            let asked_for = retry_after.unwrap_or_default();
            // Nobody knows how much of the window is left to a task that was never seen.
            let is_seen = known.seen.is_some();
            let longest = if is_seen {
                asked_for
            } else {
                pace.not_found_grace
            };
            delay.max(asked_for.min(longest))
        }
        // News is due then.
        (Answer::NoNews, Some(left)) => delay.min(left + pace.shortest),
        _ => delay,
    }
}

/// When a 404 becomes a verdict before the window closes, and which. It must have lasted for a grace.
/// Then a task of which no record was ever seen does not exist, and one that was last seen queued,
/// for longer than such records are kept, was cancelled and purged. One that has started is asked
/// about to the window's end.
fn settles(
    pace: &Pace,
    windows: &Windows,
    known: &Known,
    answer: Answer,
) -> Option<(Duration, &'static str)> {
    let Answer::NotFound { since } = answer else {
        return None;
    };
    let left = |whole: Duration, from| whole.saturating_sub(elapsed(from, known.now));
    match known.seen {
        None => {
            let is_too_old = known
                .id_time
                .is_some_and(|created| windows.is_outside(created, known.first_asked));
            let reason = if is_too_old {
                OUTSIDE_QUERY_WINDOW
            } else {
                TASK_NOT_FOUND
            };
            Some((left(pace.not_found_grace, since), reason))
        }
        Some(seen) if [status::QUEUED, status::CANCELLED].contains(&seen.status) => {
            let is_kept = left(windows.cancelled_retention, seen.at);
            let grace = left(pace.not_found_grace, since);
            Some((is_kept.max(grace), CANCELLED_AND_PURGED))
        }
        Some(_) => None,
    }
}

/// Why nothing came of a task whose window has closed.
fn closed(windows: &Windows, known: &Known, answer: Answer) -> Option<&'static str> {
    match answer {
        Answer::NoNews if windows.is_outside(known.created_at(), known.first_asked) => {
            Some(OUTSIDE_QUERY_WINDOW)
        }
        Answer::NoNews => Some(QUERY_WINDOW_CLOSED),
        Answer::NoUrl => Some(URL_EXPIRED),
        Answer::NotFound { .. } if known.seen.is_none() => Some(TASK_NOT_FOUND),
        Answer::NotFound { .. } => Some(RECORD_VANISHED),
        Answer::Fault { .. } => None,
    }
}

impl Known<'_> {
    /// When the task was created. While nobody knows, when it was asked about first.
    fn created_at(&self) -> SystemTime {
        self.seen
            .and_then(|seen| seen.created_at)
            .unwrap_or(self.first_asked)
    }

    fn age(&self) -> Duration {
        elapsed(self.created_at(), self.now)
    }

    fn until_expired(&self) -> Option<Duration> {
        self.seen?.expires_at?.duration_since(self.now).ok()
    }
}

fn elapsed(from: SystemTime, now: SystemTime) -> Duration {
    now.duration_since(from).unwrap_or_default()
}

/// Whether a status tells more than the one that is known: a task only moves forward, so what points
/// backward comes from a replica that lags, or from somebody who completed the waiting activity late.
/// Words that are not known count as running: one that counts up must not fill the history.
pub fn is_news(status: &str, known_status: &str) -> bool {
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
