//! The times within which a task can be asked about and its video fetched: pure functions.
//!
//! ```
//! use std::time::{Duration, SystemTime};
//!
//! use seedance_archiver_workflows::windows::Windows;
//!
//! let windows = Windows::default();
//! let created = SystemTime::UNIX_EPOCH;
//! let day = Duration::from_secs(24 * 60 * 60);
//! assert_eq!(windows.until_closed(created, created + 2 * day), 5 * day);
//! assert!(windows.is_outside(created, created + 7 * day));
//!
//! // What the URL says of itself counts where it comes first.
//! let url_end = windows.url_end(created, Some(created + day));
//! assert_eq!(url_end, Some(created + day));
//! // Bytes can be had for longer than the URL lives: a question brings a fresh one.
//! let last_question = created + windows.query_window - windows.margin;
//! assert_eq!(windows.archive_deadline(created, url_end), Some(last_question));
//! ```

use std::time::{Duration, SystemTime};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// What an account's service keeps for how long.
#[derive(Clone, Debug, PartialEq)]
pub struct Windows {
    /// How long after its creation a task can be asked about.
    pub query_window: Duration,
    /// How long before the window's end the last question is asked.
    pub margin: Duration,
    /// How long the record of a cancelled task is kept.
    pub cancelled_retention: Duration,
    /// How long after the task's last change its URLs work, where they do not say it themselves.
    pub url_lifetime: Duration,
}

impl Default for Windows {
    fn default() -> Self {
        Self {
            query_window: 7 * DAY,
            margin: Duration::from_secs(5 * 60),
            cancelled_retention: DAY,
            url_lifetime: 14 * DAY,
        }
    }
}

impl Windows {
    /// Time until the last question is due. `None` when it was.
    pub fn until_last_question(&self, created_at: SystemTime, now: SystemTime) -> Option<Duration> {
        let left = self.until_closed(created_at, now);
        left.checked_sub(self.margin).filter(|left| !left.is_zero())
    }

    /// Time until the task can no longer be asked about. A task from the future counts as new.
    pub fn until_closed(&self, created_at: SystemTime, now: SystemTime) -> Duration {
        let age = now.duration_since(created_at).unwrap_or_default();
        self.query_window.saturating_sub(age)
    }

    /// Whether a task created then could not be asked about any more.
    pub fn is_outside(&self, created_at: SystemTime, asked_at: SystemTime) -> bool {
        self.until_closed(created_at, asked_at).is_zero()
    }

    /// When a URL of a task that last changed then stops working: what it says itself, where that
    /// comes first.
    pub fn url_end(
        &self,
        updated_at: SystemTime,
        says_itself: Option<SystemTime>,
    ) -> Option<SystemTime> {
        let configured = updated_at.checked_add(self.url_lifetime);
        match (configured, says_itself) {
            (Some(configured), Some(itself)) => Some(configured.min(itself)),
            (configured, itself) => configured.or(itself),
        }
    }

    /// When the video's bytes can no longer be had: no URL lives, and no question may bring a fresh
    /// one.
    pub fn archive_deadline(
        &self,
        created_at: SystemTime,
        url_end: Option<SystemTime>,
    ) -> Option<SystemTime> {
        let last_question = self.query_window.saturating_sub(self.margin);
        created_at.checked_add(last_question).max(url_end)
    }

    /// Time until then.
    pub fn until_archive_deadline(
        &self,
        created_at: SystemTime,
        url_end: Option<SystemTime>,
        now: SystemTime,
    ) -> Duration {
        self.archive_deadline(created_at, url_end)
            .and_then(|deadline| deadline.duration_since(now).ok())
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(days: u32) -> SystemTime {
        SystemTime::UNIX_EPOCH + 1_000 * DAY + days * DAY
    }

    #[test]
    fn a_task_can_be_asked_about_for_seven_days() {
        let windows = Windows::default();
        assert_eq!(windows.until_closed(at(0), at(6)), DAY);
        assert_eq!(
            windows.until_last_question(at(0), at(6)),
            Some(DAY - windows.margin)
        );
        assert_eq!(
            windows.until_last_question(at(0), at(7) - windows.margin),
            None
        );
        assert!(!windows.is_outside(at(0), at(6)));
        assert!(
            windows.is_outside(at(0), at(7)),
            "the window's end is outside"
        );
        assert_eq!(
            windows.until_closed(at(1), at(0)),
            7 * DAY,
            "a clock is wrong"
        );
    }

    #[test]
    fn a_url_lives_as_long_as_it_says_and_never_longer_than_is_known() {
        let windows = Windows::default();
        assert_eq!(windows.url_end(at(0), None), Some(at(14)));
        assert_eq!(windows.url_end(at(0), Some(at(1))), Some(at(1)));
        assert_eq!(windows.url_end(at(0), Some(at(20))), Some(at(14)));
    }

    #[test]
    fn bytes_can_be_had_while_a_url_lives_or_a_fresh_one_may_come() {
        let windows = Windows::default();
        let left = |url_end, now| windows.until_archive_deadline(at(0), url_end, now);
        assert_eq!(left(Some(at(1)), at(2)), 5 * DAY - windows.margin);
        assert_eq!(left(Some(at(14)), at(8)), 6 * DAY);
        assert_eq!(left(Some(at(1)), at(8)), Duration::ZERO);
        assert_eq!(left(None, at(8)), Duration::ZERO);
    }
}
