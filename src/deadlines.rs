//! Until when the video of a task can be had.

use std::time::SystemTime;

use crate::{
    config::Account,
    seedance::{Record, SecretUrl},
    time::time,
};

/// Until when the video of a task can be had.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Deadlines {
    /// When the URL in the record stops working. `None`: there is none, or nobody knows.
    pub url: Option<SystemTime>,
    /// When the bytes can no longer be had, a fresh URL included. `None`: nobody knows.
    pub archive: Option<SystemTime>,
}

impl Deadlines {
    /// Those that a record tells.
    pub fn of(account: &Account, record: &Record) -> Self {
        let windows = &account.windows;
        let created_at = time(record.created_at());
        let changed_at = time(record.updated_at()).or(created_at);
        let url = url(record).and_then(|url| match changed_at {
            Some(changed_at) => windows.url_end(changed_at, url.expires_at()),
            None => url.expires_at(),
        });
        Self {
            url,
            archive: created_at.and_then(|created_at| windows.archive_deadline(created_at, url)),
        }
    }
}

/// The URL of what the task has made: a video, or the file of a 3D task.
pub(crate) fn url(record: &Record) -> Option<SecretUrl> {
    let file = || record.url(|content| &content.file_url);
    record.video_url().or_else(file)
}

/// Whether a task is inside the query window. One that does not say when it was created is.
pub(crate) fn can_be_asked_about(account: &Account, record: &Record, now: SystemTime) -> bool {
    let created_at = time(record.created_at());
    created_at.is_none_or(|created_at| !account.windows.is_outside(created_at, now))
}
