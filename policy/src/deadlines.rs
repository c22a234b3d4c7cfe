//! The deadlines of a video.

use std::time::{Duration, SystemTime};

use crate::windows::Windows;

/// How often the last query for a URL can be sent within the margin before the end of the query window.
const LAST_QUERIES: u32 = 5;

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
    /// The newest URL that a query during the transfer returned. `None`: each returned that of the request.
    pub fresh_url: Option<FreshUrl>,
    /// When a query during the transfer last returned the record. `None`: none did.
    pub last_queried_at: Option<SystemTime>,
}

/// The times of a URL that a query during a transfer returned, and that is not that of the request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FreshUrl {
    /// When the query returned it.
    pub queried_at: SystemTime,
    /// The expiry in it. `None`: it has none that is known.
    pub expires_at: Option<SystemTime>,
}

impl TransferTimes {
    /// Returns how long the task can still be queried.
    pub fn query_window_left(&self, windows: &Windows, now: SystemTime) -> Duration {
        windows.until_closed(self.created_at(), now)
    }

    /// Returns the time left until the last query for a URL is sent: as late as possible, so that a URL that the service
    /// signs for it works long after the query window. If it is due, returns how soon it is repeated unless it has an answer.
    /// `None`: it had one, or the task can no longer be queried.
    pub fn until_last_query(&self, windows: &Windows, now: SystemTime) -> Option<Duration> {
        match self.is_last_query_due(windows, now) {
            true => Some(windows.margin / LAST_QUERIES),
            false => windows.until_last_poll(self.created_at(), now),
        }
    }

    /// Returns whether the last query for a URL is due: no query has returned the record since, and the task can still be
    /// queried.
    pub fn is_last_query_due(&self, windows: &Windows, now: SystemTime) -> bool {
        self.is_time_of_last_query(windows, now)
            && !self.had_last_query(windows)
            && !windows.is_closed(self.created_at(), now)
    }

    /// Returns when the URL of the request and the fresh one have both stopped working.
    pub fn url_expiry(&self, windows: &Windows) -> Option<SystemTime> {
        let updated_at = self.updated_at.unwrap_or(self.scheduled_at);
        let requested = windows.url_expiry(updated_at, self.url_expires_at);
        // It was signed for the query, because it is not the one from before.
        let fresh = self.fresh_url;
        let fresh = fresh.and_then(|url| windows.url_expiry(url.queried_at, url.expires_at));
        requested.max(fresh)
    }

    /// Returns the time left until the archive deadline. While the last query has no answer, the transfer may ask again
    /// until the query window closes.
    pub fn left(&self, windows: &Windows, now: SystemTime) -> Duration {
        let created_at = self.created_at();
        let left = windows.until_archive_deadline(created_at, self.url_expiry(windows), now);
        match self.had_last_query(windows) {
            true => left,
            false => left.max(windows.until_closed(created_at, now)),
        }
    }

    /// Returns the time left until the newest URL expires, or until the archive deadline if it has expired: a query may
    /// return a fresh one.
    pub fn url_left(&self, windows: &Windows, now: SystemTime) -> Duration {
        let expires_at = self.url_expiry(windows);
        let left = expires_at.and_then(|at| at.duration_since(now).ok());
        left.filter(|left| !left.is_zero())
            .unwrap_or_else(|| self.left(windows, now))
    }

    fn had_last_query(&self, windows: &Windows) -> bool {
        let queried_at = self.last_queried_at;
        queried_at.is_some_and(|at| self.is_time_of_last_query(windows, at))
    }

    fn is_time_of_last_query(&self, windows: &Windows, now: SystemTime) -> bool {
        windows.until_last_poll(self.created_at(), now).is_none()
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
            fresh_url: None,
            last_queried_at: None,
        };
        assert_eq!(times.url_expiry(&windows), Some(at(24)));
        assert_eq!(times.query_window_left(&windows, at(16)), DAY);
        assert_eq!(times.query_window_left(&windows, at(17)), Duration::ZERO);
        assert_eq!(times.left(&windows, at(23)), DAY);
        let expiring = TransferTimes {
            url_expires_at: Some(at(11)),
            last_queried_at: Some(at(17) - windows.margin),
            ..times
        };
        assert_eq!(expiring.left(&windows, at(16)), DAY - windows.margin);
    }

    /// Returns the times of a video whose URL works for a day.
    fn short_lived() -> TransferTimes {
        TransferTimes {
            scheduled_at: at(10),
            created_at: Some(at(10)),
            updated_at: Some(at(10)),
            url_expires_at: Some(at(11)),
            fresh_url: None,
            last_queried_at: None,
        }
    }

    #[test]
    fn a_fresh_url_moves_the_archive_deadline() {
        let windows = Windows::default();
        let renewed = |queried_at, expires_at| TransferTimes {
            fresh_url: Some(FreshUrl {
                queried_at,
                expires_at,
            }),
            last_queried_at: Some(queried_at),
            ..short_lived()
        };
        assert_eq!(short_lived().left(&windows, at(17)), Duration::ZERO);
        let times = renewed(at(16), Some(at(18)));
        assert_eq!(times.left(&windows, at(17)), DAY);
        assert_eq!(times.url_left(&windows, at(16)), 2 * DAY);
        assert_eq!(times.left(&windows, at(18)), Duration::ZERO);
        let without_expiry = renewed(at(16), None);
        assert_eq!(without_expiry.url_expiry(&windows), Some(at(30)));
        // The URL of the request may outlast it.
        let times = TransferTimes {
            url_expires_at: Some(at(20)),
            ..times
        };
        assert_eq!(times.url_expiry(&windows), Some(at(20)));
    }

    #[test]
    fn a_task_is_queried_once_more_before_its_query_window_closes() {
        let windows = Windows::default();
        let (last, second) = (at(17) - windows.margin, Duration::from_secs(1));
        let times = short_lived();
        assert_eq!(
            times.until_last_query(&windows, last - second),
            Some(second)
        );
        let is_due = |times: TransferTimes, now| times.is_last_query_due(&windows, now);
        assert!(!is_due(times, last - second));
        assert!(is_due(times, last));
        assert!(!is_due(times, at(17)), "the task can no longer be queried");
        let queried = |at| TransferTimes {
            last_queried_at: Some(at),
            ..times
        };
        assert!(is_due(queried(last - second), last));
        assert!(!is_due(queried(last), last + second));
        // A failure that is followed by a long delay must not cost the URL.
        let until_next = |times: TransferTimes, now| times.until_last_query(&windows, now);
        assert_eq!(until_next(times, last), Some(60 * second));
        assert_eq!(until_next(queried(last), last), None);
        assert_eq!(until_next(times, at(17)), None);
        // Until then, the video is not lost.
        assert_eq!(times.left(&windows, last), windows.margin);
        assert_eq!(queried(last).left(&windows, last), Duration::ZERO);
    }

    #[test]
    fn the_time_until_a_url_expires_is_left_and_then_that_until_the_archive_deadline() {
        let windows = Windows::default();
        let times = TransferTimes {
            scheduled_at: at(10),
            created_at: Some(at(10)),
            updated_at: Some(at(10)),
            url_expires_at: Some(at(12)),
            fresh_url: None,
            last_queried_at: None,
        };
        assert_eq!(times.url_left(&windows, at(11)), DAY);
        for now in [at(12), at(13)] {
            let until_deadline = times.left(&windows, now);
            assert!(until_deadline > 3 * DAY);
            assert_eq!(times.url_left(&windows, now), until_deadline);
        }
        assert_eq!(times.url_left(&windows, at(20)), Duration::ZERO);
    }
}
