//! What is counted and measured, each thing once.

use std::time::{Duration, SystemTime};

use metrics::{counter, gauge, histogram};
use seedance_archiver_proto::{outcome, time::from_unix_seconds, v1::Manifest};
use temporalio_sdk::activities::ActivityInfo;

use super::metrics::{
    ARCHIVE_LAG, ARCHIVE_TIME_LEFT, ARCHIVED_BYTES, DETECTION_LAG, LIFECYCLES_ENDED, POLLS,
    RETRIES, TRANSFER_SPEED, TRANSFERS_RUNNING,
};
use crate::temporal::lifecycles::WORKFLOW_TYPE;

/// What came of a question about a task.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Poll {
    /// Its status is another one.
    News,
    /// Nothing has changed.
    Waiting,
    /// There was no answer, or none that helps.
    Failed,
}

/// A question was asked.
pub(crate) fn polled(account: &str, poll: Poll) {
    let result = match poll {
        Poll::News => "news",
        Poll::Waiting => "waiting",
        Poll::Failed => "failed",
    };
    counter!(POLLS, "account" => account.to_owned(), "result" => result).increment(1);
}

/// A task was found to have ended. `updated_at` is its last change, in Unix seconds.
pub(crate) fn detected(account: &str, updated_at: i64) {
    if let Some(lag) = since(updated_at) {
        histogram!(DETECTION_LAG, "account" => account.to_owned()).record(lag);
    }
}

/// An attempt at an activity failed.
pub(crate) fn failed(activity: &str, failure_type: &str) {
    let labels = [
        ("activity", activity.to_owned()),
        ("failure_type", failure_type.to_owned()),
    ];
    counter!(RETRIES, &labels).increment(1);
}

/// A lifecycle ended, or its last activity did.
pub(crate) fn ended(account: &str, outcome: &str) {
    let labels = [
        ("account", account.to_owned()),
        ("outcome", outcome.to_owned()),
    ];
    counter!(LIFECYCLES_ENDED, &labels).increment(1);
}

/// Whether an activity is a lifecycle's. Callers may have their own use for it.
pub(crate) fn is_of_lifecycle(info: &ActivityInfo) -> bool {
    info.workflow_type.as_deref() == Some(WORKFLOW_TYPE)
}

/// A transfer, counted as long as it lives.
pub(crate) struct Running(());

impl Running {
    pub(crate) fn begin() -> Self {
        gauge!(TRANSFERS_RUNNING).increment(1);
        Self(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        gauge!(TRANSFERS_RUNNING).decrement(1);
    }
}

/// A transfer that ended with a receipt.
pub(crate) struct Archived<'a> {
    pub(crate) manifest: &'a Manifest,
    /// When this attempt began.
    pub(crate) began: SystemTime,
    /// Whether it is the only one.
    pub(crate) is_first: bool,
    /// What is left until the archive deadline.
    pub(crate) left: Duration,
    /// Whether it is what a lifecycle ends with.
    pub(crate) ends_lifecycle: bool,
}

impl Archived<'_> {
    /// Records it. A receipt that was there already says nothing of this attempt.
    pub(crate) fn record(&self) {
        let manifest = self.manifest;
        let account = || manifest.account.clone();
        if self.ends_lifecycle {
            ended(&manifest.account, outcome::ARCHIVED);
        }
        let took = self.began.elapsed().unwrap_or_default();
        if since(manifest.archived_at).is_none_or(|ago| ago > took.as_secs_f64() + 1.0) {
            return;
        }
        let bytes = manifest
            .objects
            .iter()
            .map(|it| it.size_bytes.unsigned_abs());
        let bytes: u64 = bytes.sum();
        counter!(ARCHIVED_BYTES, "account" => account()).increment(bytes);
        histogram!(ARCHIVE_TIME_LEFT, "account" => account()).record(self.left);
        if let Some(lag) = since(manifest.task_updated_at) {
            histogram!(ARCHIVE_LAG, "account" => account()).record(lag);
        }
        if self.is_first && !took.is_zero() {
            let speed = bytes as f64 / took.as_secs_f64();
            histogram!(TRANSFER_SPEED, "account" => account()).record(speed);
        }
    }
}

/// Seconds since then. `None`: it is not known when that was.
fn since(unix_seconds: i64) -> Option<f64> {
    let since = from_unix_seconds(unix_seconds)?
        .elapsed()
        .unwrap_or_default();
    Some(since.as_secs_f64())
}
