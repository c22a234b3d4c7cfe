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

use super::{
    labels,
    metrics::{
        ARCHIVE_LAG, ARCHIVE_TIME_LEFT, ARCHIVED_BYTES, AUDIT_FINDINGS, AUDITED_BYTES,
        AUDITED_OBJECTS, DETECTION_LAG, EVENT_DELIVERIES, LIFECYCLES_ENDED, NEXUS_REQUESTS, POLLS,
        RETRIES, SUBMISSIONS, TOKENS, TRANSFER_SPEED, TRANSFERS_RUNNING, VIDEOS_AT_RISK,
        WATCHED_TASKS, WATCHER_ANSWERED, WATCHER_REQUESTS,
    },
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

/// What became of an event, or of an attempt to deliver it: the label `result`.
#[derive(Clone, Copy, PartialEq, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub(crate) enum EventResult {
    /// The receiver accepted the event.
    Delivered,
    /// The attempt failed and is retried.
    Retried,
    /// The receiver wants no more of the event.
    Refused,
    /// The time for the delivery has passed.
    GivenUp,
    /// Temporal did not start the delivery.
    NotStarted,
}

/// Counts what became of an event, or of an attempt to deliver it.
pub(crate) fn event(account: &str, result: EventResult) {
    let result: &'static str = result.into();
    counter!(EVENT_DELIVERIES, "account" => account.to_owned(), "result" => result).increment(1);
}

/// The result of a create request, or of the search for the task of an unanswered one: the label `result`.
#[derive(Clone, Copy, PartialEq, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub(crate) enum SubmissionResult {
    /// A task was created.
    Created,
    /// No task was created, and the request is sent again.
    NotCreated,
    /// The service rejected the request.
    Rejected,
    /// The answer was lost.
    Unanswered,
    /// The task was found in the list.
    Found,
    /// The list does not decide it.
    Ambiguous,
}

/// Counts a create request, or the end of the search for the task of an unanswered one.
pub(crate) fn submission(account: &str, result: SubmissionResult) {
    let result: &'static str = result.into();
    counter!(SUBMISSIONS, "account" => account.to_owned(), "result" => result).increment(1);
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

/// Counts what an audit verified of a receipt.
pub(crate) fn audited(objects: usize, bytes: u64) {
    counter!(AUDITED_OBJECTS).increment(objects as u64);
    counter!(AUDITED_BYTES).increment(bytes);
}

/// Counts a finding of an audit.
pub(crate) fn audit_finding(kind: &'static str) {
    counter!(AUDIT_FINDINGS, "finding" => kind).increment(1);
}

/// Counts a request of a Nexus caller.
pub(crate) fn nexus_request(operation: &'static str, result: &'static str) {
    counter!(NEXUS_REQUESTS, "operation" => operation, "result" => result).increment(1);
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
    /// Number of this attempt, from 1.
    pub(crate) attempt: u32,
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
        if !self.wrote_receipt() {
            return;
        }
        self.count_tokens();
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
        if self.attempt == 1 && !self.took.is_zero() {
            let speed = bytes as f64 / self.took.as_secs_f64();
            histogram!(TRANSFER_SPEED, "account" => account()).record(speed);
        }
    }

    /// Returns whether this attempt wrote the receipt, so that a video is counted once. An attempt of another lifecycle
    /// has the same number, but wrote the receipt before this one began; one that the server believes dead may write it
    /// later, but has another number.
    fn wrote_receipt(&self) -> bool {
        let manifest = self.manifest;
        let max_age = self.took.as_secs_f64() + RECEIPT_TIME_TOLERANCE_S;
        let is_new =
            seconds_since(manifest.archived_at, self.clock).is_some_and(|age| age <= max_age);
        is_new && manifest.attempts == i64::from(self.attempt)
    }

    fn count_tokens(&self) {
        let manifest = self.manifest;
        let tokens = manifest
            .usage
            .as_ref()
            .map_or(0, |usage| usage.total_tokens);
        let labels = [
            ("account", manifest.account.clone()),
            ("model", labels::model(&manifest.model)),
            (
                "service_tier",
                labels::service_tier(&manifest.service_tier).to_owned(),
            ),
        ];
        // A negative number would be a mistake of the API.
        counter!(TOKENS, &labels).increment(u64::try_from(tokens).unwrap_or_default());
    }
}

/// Returns the seconds since a time, or `None` if the time is unknown.
fn seconds_since(unix_seconds: i64, clock: &Clock) -> Option<f64> {
    let elapsed = clock.now().duration_since(from_unix_seconds(unix_seconds)?);
    Some(elapsed.unwrap_or_default().as_secs_f64())
}

#[cfg(test)]
mod tests {
    use metrics_exporter_prometheus::PrometheusBuilder;
    use seedance_archiver_proto::{time::unix_seconds, v1::Usage};

    use super::*;

    #[test]
    fn a_video_is_counted_by_the_attempt_that_wrote_its_receipt() {
        let clock = Clock::default();
        let now = unix_seconds(clock.now());
        let manifest = |archived_at: i64, attempts: i64| Manifest {
            account: "eu".to_owned(),
            model: "seedance-1-5-pro-251215".to_owned(),
            service_tier: "flex".to_owned(),
            usage: Some(Usage {
                completion_tokens: 40,
                total_tokens: 48,
                ..Usage::default()
            }),
            archived_at,
            attempts,
            ..Manifest::default()
        };
        let recorder = PrometheusBuilder::new().build_recorder();
        metrics::with_local_recorder(&recorder, || {
            let earlier = now - 60;
            for (manifest, attempt) in [
                (manifest(now, 2), 2),
                // Others found the same receipt: the attempt before, the one after, and one of another lifecycle.
                (manifest(now, 2), 1),
                (manifest(now, 2), 3),
                (manifest(earlier, 1), 1),
            ] {
                let archived = ArchivedVideo {
                    manifest: &manifest,
                    took: Duration::from_secs(5),
                    clock: &clock,
                    attempt,
                    time_left: Duration::from_secs(60),
                    ends_lifecycle: false,
                };
                archived.record();
            }
        });
        let labels = "account=\"eu\",model=\"seedance-1-5-pro-251215\",service_tier=\"flex\"";
        let metrics = recorder.handle().render();
        let series = format!("{TOKENS}{{{labels}}} 48\n");
        assert!(metrics.contains(&series), "{metrics}");
    }
}
