//! The tasks of an account that `rescue` found.

use std::{cmp::Reverse, time::SystemTime};

use seedance_archiver_policy::deadlines::Deadlines;
use seedance_archiver_proto::v1::VideoTask;

use crate::seedance::{self, ErrorKind};

/// The tasks that can still be queried.
#[derive(Debug, Default)]
pub struct Found {
    /// Succeeded tasks, by the expiry of the URL, the earliest first. Dead videos are last.
    pub videos: Vec<Video>,
    /// The tasks that are still queued or running.
    pub unfinished: Vec<Unfinished>,
    /// Number of tasks that ended without a video.
    pub unsuccessful: usize,
    /// Number of list items that could not be decoded.
    pub skipped: usize,
    /// The lists that could not be read completely.
    pub not_listed: Vec<NotListed>,
}

/// A task that is still queued or running.
#[derive(Debug)]
pub struct Unfinished {
    /// Name of the account.
    pub account: String,
    /// Id of the task.
    pub task_id: String,
}

/// A list of an account could not be read completely.
#[derive(Debug, thiserror::Error)]
#[error("{}", self.message())]
pub struct NotListed {
    /// Name of the account.
    pub account: String,
    /// The list: its filters. If the error applies to the account, the later lists are not read either.
    pub list: String,
    /// The reason.
    pub reason: Incomplete,
}

/// Why a list could not be read completely.
#[derive(Debug)]
pub enum Incomplete {
    /// The last error.
    Error(seedance::Error),
    /// The list ended early, because of this.
    CutOff(&'static str),
}

impl NotListed {
    fn message(&self) -> String {
        let Self {
            account,
            list,
            reason,
        } = self;
        let error = match reason {
            Incomplete::Error(error) => error,
            Incomplete::CutOff(reason) => {
                return format!(
                    "cannot list all tasks of account `{account}`, {list}: {reason}; tasks that are not listed can be \
                     archived by id"
                );
            }
        };
        let fix = match error.kind() {
            // The error names the account already.
            ErrorKind::Unsupported => return error.to_string(),
            ErrorKind::Unauthorized => {
                "; check that the API key is for this service and region (SEEDANCE_API_KEY, SEEDANCE_BASE_URL)"
            }
            _ => "",
        };
        format!("cannot list tasks of account `{account}`, {list}: {error}{fix}")
    }
}

/// A succeeded task.
#[derive(Debug)]
pub struct Video {
    /// Name of the account.
    pub account: String,
    /// The record, without URLs.
    pub task: VideoTask,
    /// Whether the video is archived or can be.
    pub state: State,
    /// The deadlines of the video.
    pub deadlines: Deadlines,
}

/// Whether a video is archived or can be.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum State {
    /// The video is not in the archive, and its URL may work.
    Missing,
    /// The archive has a receipt.
    Archived,
    /// The task was erased from the archive.
    Erased,
    /// The video is not in the archive, its URL expired, a query returned no fresh one, and the host refuses it.
    Dead,
}

impl Found {
    /// Adds the tasks of another account.
    pub fn extend(&mut self, other: Self) {
        self.videos.extend(other.videos);
        self.unfinished.extend(other.unfinished);
        self.unsuccessful += other.unsuccessful;
        self.skipped += other.skipped;
        self.not_listed.extend(other.not_listed);
        self.sort();
    }

    /// Returns the videos to archive, the most urgent first.
    pub fn missing(&self) -> impl Iterator<Item = &Video> {
        let videos = self.videos.iter();
        videos.filter(|video| video.state == State::Missing)
    }

    /// Sorts the videos by the expiry of the URL, then by the archive deadline. An unknown time is the latest.
    pub(super) fn sort(&mut self) {
        self.videos.sort_by_key(|video| {
            let Deadlines { url, archive } = video.deadlines;
            let is_dead = video.state == State::Dead;
            let unknown_last = |time: Option<SystemTime>| (time.is_none(), time);
            (
                is_dead,
                unknown_last(url),
                unknown_last(archive),
                Reverse(video.task.id.clone()),
            )
        });
    }
}
