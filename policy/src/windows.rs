//! How long a task can be queried, and how long its video URL works.
//!
//! ```
//! use std::time::{Duration, SystemTime};
//!
//! use seedance_archiver_policy::windows::Windows;
//!
//! let windows = Windows::default();
//! let created = SystemTime::UNIX_EPOCH;
//! let day = Duration::from_secs(24 * 60 * 60);
//! assert_eq!(windows.until_closed(created, created + 2 * day), 5 * day);
//! assert!(windows.is_closed(created, created + 7 * day));
//!
//! // The expiry in the URL counts if it is earlier than the configured lifetime.
//! let url_expiry = windows.url_expiry(created, Some(created + day));
//! assert_eq!(url_expiry, Some(created + day));
//! // The video can be fetched for longer than this URL lives, because a query returns a fresh one.
//! let last_poll = created + windows.query_window - windows.margin;
//! assert_eq!(windows.archive_deadline(created, url_expiry), Some(last_poll));
//! ```

use std::time::{Duration, SystemTime};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The retention times of one account's service.
#[derive(Clone, Debug, PartialEq)]
pub struct Windows {
    /// How long after its creation a task can be queried.
    pub query_window: Duration,
    /// How long before the end of the query window the last poll is made.
    pub margin: Duration,
    /// How long the record of a cancelled task is kept.
    pub cancelled_retention: Duration,
    /// How long after the last change of a task its URLs work, unless a URL expires earlier.
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
    /// Returns the time left until the last poll is due, or `None` if it was due before `now`.
    pub fn until_last_poll(&self, created_at: SystemTime, now: SystemTime) -> Option<Duration> {
        let left = self.until_closed(created_at, now);
        left.checked_sub(self.margin).filter(|left| !left.is_zero())
    }

    /// Returns the time left until the query window closes. A creation time after `now` counts as `now`.
    pub fn until_closed(&self, created_at: SystemTime, now: SystemTime) -> Duration {
        let age = now.duration_since(created_at).unwrap_or_default();
        self.query_window.saturating_sub(age)
    }

    /// Returns whether the query window of a task is closed at `now`.
    pub fn is_closed(&self, created_at: SystemTime, now: SystemTime) -> bool {
        self.until_closed(created_at, now).is_zero()
    }

    /// Returns when a URL of a task stops working: the configured lifetime after the task's last change, or
    /// the expiry in the URL if that is earlier. An expiry before the last change is not one: the URL would never have
    /// worked.
    pub fn url_expiry(
        &self,
        updated_at: SystemTime,
        url_expires_at: Option<SystemTime>,
    ) -> Option<SystemTime> {
        let configured = updated_at.checked_add(self.url_lifetime);
        let in_url = url_expires_at.filter(|in_url| *in_url >= updated_at);
        match (configured, in_url) {
            (Some(configured), Some(in_url)) => Some(configured.min(in_url)),
            (configured, in_url) => configured.or(in_url),
        }
    }

    /// Returns when the video can no longer be fetched: no URL works, and no query returns a fresh one.
    pub fn archive_deadline(
        &self,
        created_at: SystemTime,
        url_expiry: Option<SystemTime>,
    ) -> Option<SystemTime> {
        let last_poll = self.query_window.saturating_sub(self.margin);
        created_at.checked_add(last_poll).max(url_expiry)
    }

    /// Returns the time left until the archive deadline, zero if it passed or is unknown.
    pub fn until_archive_deadline(
        &self,
        created_at: SystemTime,
        url_expiry: Option<SystemTime>,
        now: SystemTime,
    ) -> Duration {
        self.archive_deadline(created_at, url_expiry)
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
    fn a_task_can_be_queried_for_seven_days() {
        let windows = Windows::default();
        assert_eq!(windows.until_closed(at(0), at(6)), DAY);
        assert_eq!(
            windows.until_last_poll(at(0), at(6)),
            Some(DAY - windows.margin)
        );
        assert_eq!(windows.until_last_poll(at(0), at(7) - windows.margin), None);
        assert!(!windows.is_closed(at(0), at(6)));
        assert!(
            windows.is_closed(at(0), at(7)),
            "the end of the window is outside the window"
        );
        assert_eq!(
            windows.until_closed(at(1), at(0)),
            7 * DAY,
            "created after now: clock skew"
        );
    }

    #[test]
    fn the_url_expiry_is_the_earlier_of_the_configured_one_and_the_one_in_the_url() {
        let windows = Windows::default();
        assert_eq!(windows.url_expiry(at(0), None), Some(at(14)));
        assert_eq!(windows.url_expiry(at(0), Some(at(1))), Some(at(1)));
        assert_eq!(windows.url_expiry(at(0), Some(at(20))), Some(at(14)));
        assert_eq!(windows.url_expiry(at(2), Some(at(1))), Some(at(16)));
    }

    #[test]
    fn the_archive_deadline_is_the_later_of_the_url_expiry_and_the_last_poll() {
        let windows = Windows::default();
        let left = |url_expiry, now| windows.until_archive_deadline(at(0), url_expiry, now);
        assert_eq!(left(Some(at(1)), at(2)), 5 * DAY - windows.margin);
        assert_eq!(left(Some(at(14)), at(8)), 6 * DAY);
        assert_eq!(left(Some(at(1)), at(8)), Duration::ZERO);
        assert_eq!(left(None, at(8)), Duration::ZERO);
    }
}
