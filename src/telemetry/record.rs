//! Updates the metrics.

use std::time::Duration;

use metrics::{counter, gauge, histogram};
use seedance_archiver_clock::Clock;
use seedance_archiver_proto::{
    names::LIFECYCLE_WORKFLOW,
    outcome,
    time::from_unix_seconds,
    v1::{Manifest, WatcherProgress},
};
use temporalio_sdk::activities::ActivityInfo;

use super::metrics::{
    ARCHIVE_LAG, ARCHIVE_TIME_LEFT, ARCHIVED_BYTES, DETECTION_LAG, LIFECYCLES_ENDED, POLLS,
    RETRIES, TRANSFER_SPEED, TRANSFERS_RUNNING, VIDEOS_AT_RISK, WATCHED_TASKS, WATCHER_ANSWERED,
    WATCHER_REQUESTS,
};

/// A receipt written this long before the attempt began was written by an earlier attempt. Receipts have times in
/// whole seconds.
const RECEIPT_TIME_TOLERANCE_S: f64 = 1.0;

/// The result of a poll: the label `result`.
#[derive(Clone, Copy, PartialEq, strum::IntoStaticStr)]
pub(crate) enum PollResult {
    /// The status of the task changed.
    #[strum(serialize = "news")]
    Changed,
    /// The status of the task did not change.
    #[strum(serialize = "waiting")]
    Unchanged,
    /// The API returned no usable record.
    #[strum(serialize = "failed")]
    Failed,
}

/// Counts a poll.
pub(crate) fn poll(account: &str, result: PollResult) {
    let result: &'static str = result.into();
    counter!(POLLS, "account" => account.to_owned(), "result" => result).increment(1);
}

/// Sets what the watcher of an account does.
pub(crate) fn watcher(account: &str, progress: &WatcherProgress) {
    let account = || account.to_owned();
    gauge!(WATCHED_TASKS, "account" => account()).set(progress.watched as f64);
    if progress.answered_at > 0 {
        gauge!(WATCHER_ANSWERED, "account" => account()).set(progress.answered_at as f64);
    }
}

/// Counts a request of a watcher to the API. `request` is `list` or `query`.
pub(crate) fn watcher_request(account: &str, request: &'static str, result: &'static str) {
    counter!(WATCHER_REQUESTS, "account" => account.to_owned(), "request" => request, "result" => result)
        .increment(1);
}

/// Records how long after the last change of a task its end was detected. `updated_at` is the time of that
/// change, in Unix seconds.
pub(crate) fn detection(account: &str, updated_at: i64, clock: &Clock) {
    if let Some(lag) = seconds_since(updated_at, clock) {
        histogram!(DETECTION_LAG, "account" => account.to_owned()).record(lag);
    }
}

/// Counts a failed attempt at an activity.
pub(crate) fn failed_attempt(activity: &str, failure_type: &str) {
    let labels = [
        ("activity", activity.to_owned()),
        ("failure_type", failure_type.to_owned()),
    ];
    counter!(RETRIES, &labels).increment(1);
}

/// Counts the end of a lifecycle, or of its last activity.
pub(crate) fn lifecycle_end(account: &str, outcome: &str) {
    let labels = [
        ("account", account.to_owned()),
        ("outcome", outcome.to_owned()),
    ];
    counter!(LIFECYCLES_ENDED, &labels).increment(1);
}

/// Counts a video whose URL stopped working, and of which the API returned no fresh URL.
pub(crate) fn video_at_risk(account: &str) {
    counter!(VIDEOS_AT_RISK, "account" => account.to_owned()).increment(1);
}

/// Returns whether an activity was called by a lifecycle. Other workflows may call activities too.
pub(crate) fn is_lifecycle_activity(info: &ActivityInfo) -> bool {
    info.workflow_type.as_deref() == Some(LIFECYCLE_WORKFLOW)
}

/// Counts a transfer as running until this value is dropped.
pub(crate) struct RunningTransfer(());

impl RunningTransfer {
    pub(crate) fn start() -> Self {
        gauge!(TRANSFERS_RUNNING).increment(1);
        Self(())
    }
}

impl Drop for RunningTransfer {
    fn drop(&mut self) {
        gauge!(TRANSFERS_RUNNING).decrement(1);
    }
}

/// A transfer that ended with a receipt.
pub(crate) struct ArchivedVideo<'a> {
    pub(crate) manifest: &'a Manifest,
    /// How long this attempt took.
    pub(crate) took: Duration,
    pub(crate) clock: &'a Clock,
    /// Whether this is the first attempt.
    pub(crate) is_first_attempt: bool,
    /// Time left until the archive deadline.
    pub(crate) time_left: Duration,
    /// Whether the transfer is the last activity of a lifecycle.
    pub(crate) ends_lifecycle: bool,
}

impl ArchivedVideo<'_> {
    /// Records the transfer. If an earlier attempt wrote the receipt, records only the end of the lifecycle.
    pub(crate) fn record(&self) {
        let manifest = self.manifest;
        let account = || manifest.account.clone();
        if self.ends_lifecycle {
            lifecycle_end(&manifest.account, outcome::ARCHIVED);
        }
        let took = self.took;
        let max_age = took.as_secs_f64() + RECEIPT_TIME_TOLERANCE_S;
        if seconds_since(manifest.archived_at, self.clock).is_none_or(|age| age > max_age) {
            return;
        }
        let bytes: u64 = manifest
            .objects
            .iter()
            .map(|object| object.size_bytes.unsigned_abs())
            .sum();
        counter!(ARCHIVED_BYTES, "account" => account()).increment(bytes);
        histogram!(ARCHIVE_TIME_LEFT, "account" => account()).record(self.time_left);
        if let Some(lag) = seconds_since(manifest.task_updated_at, self.clock) {
            histogram!(ARCHIVE_LAG, "account" => account()).record(lag);
        }
        // A later attempt may have resumed: its speed does not follow from the size.
        if self.is_first_attempt && !took.is_zero() {
            let speed = bytes as f64 / took.as_secs_f64();
            histogram!(TRANSFER_SPEED, "account" => account()).record(speed);
        }
    }
}

/// Returns the seconds since a time, or `None` if the time is unknown.
fn seconds_since(unix_seconds: i64, clock: &Clock) -> Option<f64> {
    let elapsed = clock.now().duration_since(from_unix_seconds(unix_seconds)?);
    Some(elapsed.unwrap_or_default().as_secs_f64())
}
