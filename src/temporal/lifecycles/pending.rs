//! The pending activity of a lifecycle, whose state changes without events in the history.

use seedance_archiver_proto::{
    names::{
        ARCHIVE_ACTIVITY_ID, CANCEL_ACTIVITY_ID, CREATE_ACTIVITY_ID, QUERY_ACTIVITY_ID,
        RECORD_ACTIVITY_ID, RECORD_AGAIN_ACTIVITY_ID,
    },
    v1::ArchiveProgress,
};
use serde::Serialize;
use temporalio_client::Client;
use temporalio_common::protos::temporal::api::{
    enums::v1::PendingActivityState, workflow::v1::PendingActivityInfo,
};

use crate::temporal::codec;

/// An activity that is running or will be retried. Times are Unix seconds, 0 if unknown.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PendingActivity {
    /// Activity id: `query`, `archive`, …
    pub activity: String,
    /// Whether an attempt is running.
    pub is_running: bool,
    /// Number of the running or the next attempt, from 1.
    pub attempt: i32,
    /// When the next attempt starts, 0 while an attempt is running.
    pub next_attempt_at: i64,
    /// Message of the last failed attempt.
    pub last_message: String,
    /// Identity of the worker that made the last attempt.
    pub worker: String,
    /// Bytes transferred.
    pub bytes_done: u64,
    /// Bytes in total, 0 if unknown.
    pub bytes_total: u64,
}

/// The current step of a lifecycle, for progress output.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Waiting for the task, an activity or a retry: a message for users.
    Waiting(String),
    /// Transferring the video.
    Archiving {
        /// Bytes transferred.
        done: u64,
        /// Bytes in total, 0 if unknown.
        total: u64,
    },
}

impl PendingActivity {
    /// Returns what the server says of a pending activity.
    pub(crate) async fn new(client: &Client, info: &PendingActivityInfo) -> Self {
        let is_running = info.state() == PendingActivityState::Started;
        let next_attempt = info
            .next_attempt_schedule_time
            .as_ref()
            .filter(|_| !is_running);
        let last_failure = info.last_failure.as_ref();
        let progress: Option<ArchiveProgress> = match info.activity_id == ARCHIVE_ACTIVITY_ID {
            true => codec::heartbeat(client, info).await,
            false => None,
        };
        let progress = progress.unwrap_or_default();
        Self {
            activity: info.activity_id.clone(),
            is_running,
            attempt: info.attempt,
            next_attempt_at: next_attempt.map_or(0, |time| time.seconds),
            last_message: last_failure.map_or_else(String::new, |it| it.message.clone()),
            worker: info.last_worker_identity.clone(),
            bytes_done: progress.bytes_done.unsigned_abs(),
            bytes_total: progress.bytes_total.unsigned_abs(),
        }
    }

    /// Returns the current step of the lifecycle.
    pub fn step(&self) -> Step {
        let waiting = |default: &str| match self.last_message.as_str() {
            "" => Step::Waiting(default.to_owned()),
            message => Step::Waiting(message.to_owned()),
        };
        match self.activity.as_str() {
            QUERY_ACTIVITY_ID => waiting("polling the task"),
            ARCHIVE_ACTIVITY_ID if self.is_running || self.last_message.is_empty() => {
                Step::Archiving {
                    done: self.bytes_done,
                    total: self.bytes_total,
                }
            }
            ARCHIVE_ACTIVITY_ID => waiting("archiving"),
            CANCEL_ACTIVITY_ID => waiting("cancelling the task"),
            RECORD_ACTIVITY_ID | RECORD_AGAIN_ACTIVITY_ID => waiting("recording the outcome"),
            CREATE_ACTIVITY_ID => waiting("creating the task"),
            activity => waiting(&format!("running the activity `{activity}`")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pending(activity: &str, is_running: bool, last_message: &str) -> PendingActivity {
        PendingActivity {
            activity: activity.to_owned(),
            is_running,
            attempt: 1,
            next_attempt_at: 0,
            last_message: last_message.to_owned(),
            worker: String::new(),
            bytes_done: 1,
            bytes_total: 2,
        }
    }

    #[test]
    fn a_running_transfer_is_archiving_even_after_a_failed_attempt() {
        let archiving = Step::Archiving { done: 1, total: 2 };
        assert_eq!(pending("archive", true, "").step(), archiving);
        assert_eq!(pending("archive", false, "").step(), archiving);
        assert_eq!(pending("archive", true, "HTTP 503").step(), archiving);
        assert_eq!(
            pending("archive", false, "HTTP 503").step(),
            Step::Waiting("HTTP 503".to_owned())
        );
    }

    #[test]
    fn other_activities_are_waiting_with_their_last_message() {
        let message = |activity: PendingActivity| match activity.step() {
            Step::Waiting(message) => message,
            step => panic!("{step:?}"),
        };
        assert_eq!(message(pending("query", true, "")), "polling the task");
        assert_eq!(message(pending("query", true, "queued")), "queued");
        assert_eq!(message(pending("cancel", true, "")), "cancelling the task");
        assert_eq!(message(pending("create", true, "")), "creating the task");
        assert_eq!(
            message(pending("record", true, "")),
            "recording the outcome"
        );
    }
}
