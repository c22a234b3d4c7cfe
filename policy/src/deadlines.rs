//! The deadlines of a video.

use std::time::{Duration, SystemTime};

use crate::windows::Windows;

/// The times in a task record.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct TaskTimes {
    /// When the task was created. `None` if the record does not say.
    pub created_at: Option<SystemTime>,
    /// When the task last changed. `None` if the record does not say.
    pub updated_at: Option<SystemTime>,
    /// The expiry in the signed URL. `None` if there is no URL or its form is unknown.
    pub url_expires_at: Option<SystemTime>,
    /// Whether the record has a URL.
    pub has_url: bool,
}

/// The deadlines of a task's video.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Deadlines {
    /// When the URL in the record stops working. `None` if there is no URL, or its lifetime is unknown.
    pub url: Option<SystemTime>,
    /// When the video can no longer be fetched, not even with a fresh URL. `None` if unknown.
    pub archive: Option<SystemTime>,
}

impl Deadlines {
    /// Returns the deadlines that follow from the times of a record.
    pub fn new(windows: &Windows, times: TaskTimes) -> Self {
        let url = match times.updated_at.or(times.created_at) {
            _ if !times.has_url => None,
            Some(updated_at) => windows.url_expiry(updated_at, times.url_expires_at),
            None => times.url_expires_at,
        };
        let archive = |created_at| windows.archive_deadline(created_at, url);
        Self {
            url,
            archive: times.created_at.map_or(url, archive),
        }
    }
}

/// The times by which a transfer is tried, by the request of `ArchiveVideo`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TransferTimes {
    /// When the first attempt was scheduled.
    pub scheduled_at: SystemTime,
    /// When the task was created. `None`: when the first attempt was scheduled, so that the query window ends.
    pub created_at: Option<SystemTime>,
    /// When the task last changed. `None`: when the first attempt was scheduled.
    pub updated_at: Option<SystemTime>,
    /// The expiry in the URL of the request. `None`: it has none that is known.
    pub url_expires_at: Option<SystemTime>,
}

impl TransferTimes {
    /// Returns how long the task can still be queried.
    pub fn query_window_left(&self, windows: &Windows, now: SystemTime) -> Duration {
        windows.until_closed(self.created_at(), now)
    }

    /// Returns when the URL of the request stops working.
    pub fn url_expiry(&self, windows: &Windows) -> Option<SystemTime> {
        let updated_at = self.updated_at.unwrap_or(self.scheduled_at);
        windows.url_expiry(updated_at, self.url_expires_at)
    }

    /// Returns the time left until the archive deadline.
    pub fn left(&self, windows: &Windows, now: SystemTime) -> Duration {
        windows.until_archive_deadline(self.created_at(), self.url_expiry(windows), now)
    }

    /// Returns the time left until the URL of the request expires, or until the archive deadline if it has expired: a query
    /// may return a fresh one.
    pub fn url_left(&self, windows: &Windows, now: SystemTime) -> Duration {
        let expires_at = self.url_expiry(windows);
        let left = expires_at.and_then(|at| at.duration_since(now).ok());
        left.filter(|left| !left.is_zero())
            .unwrap_or_else(|| self.left(windows, now))
    }

    fn created_at(&self) -> SystemTime {
        self.created_at.unwrap_or(self.scheduled_at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_secs(24 * 60 * 60);

    fn at(days: u32) -> SystemTime {
        SystemTime::UNIX_EPOCH + days * DAY
    }

    #[test]
    fn without_a_url_the_query_window_is_the_deadline() {
        let windows = Windows::default();
        let times = TaskTimes {
            created_at: Some(at(10)),
            updated_at: Some(at(11)),
            ..TaskTimes::default()
        };
        let deadlines = Deadlines::new(&windows, times);
        assert_eq!(deadlines.url, None);
        assert_eq!(deadlines.archive, Some(at(17) - windows.margin));
    }

    #[test]
    fn a_url_lives_from_the_last_change() {
        let times = TaskTimes {
            created_at: Some(at(10)),
            updated_at: Some(at(11)),
            has_url: true,
            ..TaskTimes::default()
        };
        let deadlines = Deadlines::new(&Windows::default(), times);
        assert_eq!(
            (deadlines.url, deadlines.archive),
            (Some(at(25)), Some(at(25)))
        );
    }

    #[test]
    fn a_record_without_times_has_the_expiry_of_its_url_alone() {
        let times = TaskTimes {
            url_expires_at: Some(at(12)),
            has_url: true,
            ..TaskTimes::default()
        };
        let deadlines = Deadlines::new(&Windows::default(), times);
        assert_eq!(
            (deadlines.url, deadlines.archive),
            (Some(at(12)), Some(at(12)))
        );
    }

    #[test]
    fn a_transfer_without_times_counts_from_its_first_attempt() {
        let windows = Windows::default();
        let times = TransferTimes {
            scheduled_at: at(10),
            created_at: None,
            updated_at: None,
            url_expires_at: None,
        };
        assert_eq!(times.url_expiry(&windows), Some(at(24)));
        assert_eq!(times.query_window_left(&windows, at(16)), DAY);
        assert_eq!(times.query_window_left(&windows, at(17)), Duration::ZERO);
        assert_eq!(times.left(&windows, at(23)), DAY);
        let expiring = TransferTimes {
            url_expires_at: Some(at(11)),
            ..times
        };
        assert_eq!(expiring.left(&windows, at(16)), DAY - windows.margin);
    }
}
