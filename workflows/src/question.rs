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
    /// After an answer that brought no news. The delay is a tenth of the task's age, within bounds
    /// and never shorter than what the service asked for, but the last question falls inside the
    /// window whatever the schedule or the service wanted.
    pub fn after_no_news(&self, known: Known, retry_after: Option<Duration>) -> Next {
        let since = known.created_at.unwrap_or(known.first_asked);
        let age = known.now.duration_since(since).unwrap_or_default();
        let last_question = self.query_window.saturating_sub(self.margin);
        let Some(left) = last_question
            .checked_sub(age)
            .filter(|left| !left.is_zero())
        else {
            return Next::WindowClosed;
        };
        let delay = (age / 10)
            .clamp(self.shortest, self.longest.max(self.shortest))
            .max(retry_after.unwrap_or_default());
        Next::AskAgain(delay.min(left))
    }

    /// After a 404. Nobody can have seen a record of a task that does not exist; one that was seen
    /// is asked about to the window's end.
    pub fn after_not_found(&self, known: Known) -> Next {
        let unknown_for = known
            .now
            .duration_since(known.first_asked)
            .unwrap_or_default();
        if known.created_at.is_some() {
            return self.after_no_news(known, None);
        }
        match self
            .not_found_grace
            .checked_sub(unknown_for)
            .filter(|left| !left.is_zero())
        {
            None => Next::TaskNotFound,
            Some(left) => match self.after_no_news(known, None) {
                Next::AskAgain(delay) => Next::AskAgain(delay.min(left)),
                other => other,
            },
        }
    }
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
