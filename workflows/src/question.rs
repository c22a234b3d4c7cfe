//! When to ask about a task again, and when asking can no longer help: pure functions of what is
//! known and the time.

use std::time::{Duration, SystemTime};

use seedance_archiver_proto::status;

/// How questions about one account's tasks are paced and bounded.
#[derive(Clone, Debug, PartialEq)]
pub struct Pace {
    /// Shortest time between two questions.
    pub shortest: Duration,
    /// Longest time between two questions.
    pub longest: Duration,
    /// How long a task may be unknown before it counts as not existing: a task just created can
    /// answer 404.
    pub not_found_grace: Duration,
    /// How long after its creation a task can be asked about.
    pub query_window: Duration,
    /// How long before the window's end the last question is asked.
    pub margin: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            shortest: Duration::from_secs(2),
            longest: Duration::from_secs(60),
            not_found_grace: Duration::from_secs(10 * 60),
            query_window: Duration::from_secs(7 * 24 * 60 * 60),
            margin: Duration::from_secs(5 * 60),
        }
    }
}

/// What is known of a task when an answer comes in.
#[derive(Clone, Copy, Debug)]
pub struct Known {
    /// When the task was created; `None` while no record was ever seen.
    pub created_at: Option<SystemTime>,
    /// When it was asked about for the first time.
    pub first_asked: SystemTime,
    /// The time of the answer.
    pub now: SystemTime,
}

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Next {
    /// Ask again after this delay.
    AskAgain(Duration),
    /// The task does not exist.
    TaskNotFound,
    /// The window in which the task can be asked about has closed.
    WindowClosed,
}

impl Pace {
    /// After a record that brought no news. The delay is a tenth of the task's age, within bounds,
    /// but the last question falls inside the window whatever the schedule wanted.
    pub fn after_no_news(&self, known: Known) -> Next {
        match self.until_last_question(known) {
            Some(left) => Next::AskAgain(self.delay(known).min(left)),
            None => Next::WindowClosed,
        }
    }

    /// After a question without an answer. The delay is never shorter than what the service asked
    /// for; a last question that failed is asked again while the window is open.
    pub fn after_error(&self, known: Known, retry_after: Option<Duration>) -> Next {
        let delay = self.delay(known).max(retry_after.unwrap_or_default());
        if let Some(left) = self.until_last_question(known) {
            return Next::AskAgain(delay.min(left));
        }
        match self.query_window.checked_sub(known.age()) {
            Some(left) if left > self.shortest => Next::AskAgain(delay.min(left / 2)),
            _ => Next::WindowClosed,
        }
    }

    /// After an answer that there is no such task, given since `since` without a record in between.
    /// It is believed after the grace, and only where no record was ever seen: one that was seen is
    /// asked about to the window's end.
    pub fn after_not_found(&self, known: Known, since: SystemTime) -> Next {
        let next = self.after_error(known, None);
        if known.created_at.is_some() {
            return next;
        }
        let unknown_for = known.now.duration_since(since).unwrap_or_default();
        match (next, positive(self.not_found_grace, unknown_for)) {
            (Next::AskAgain(delay), Some(left)) => Next::AskAgain(delay.min(left)),
            (_, None) => Next::TaskNotFound,
            (next, _) => next,
        }
    }

    fn delay(&self, known: Known) -> Duration {
        (known.age() / 10).clamp(self.shortest, self.longest.max(self.shortest))
    }

    fn until_last_question(&self, known: Known) -> Option<Duration> {
        positive(self.query_window.saturating_sub(self.margin), known.age())
    }
}

impl Known {
    fn age(&self) -> Duration {
        let since = self.created_at.unwrap_or(self.first_asked);
        self.now.duration_since(since).unwrap_or_default()
    }
}

fn positive(whole: Duration, part: Duration) -> Option<Duration> {
    whole.checked_sub(part).filter(|left| !left.is_zero())
}

/// Whether a record tells more than what is known. An older one may come from a replica that lags,
/// or from somebody who completed the waiting activity late; only an ending is believed all the same.
pub fn is_news(
    (status, updated_at): (&str, i64),
    (known_status, known_updated_at): (&str, i64),
) -> bool {
    let is_older = updated_at > 0 && updated_at < known_updated_at;
    status != known_status && (status::is_terminal(status) || !is_older)
}

#[cfg(test)]
mod tests;
