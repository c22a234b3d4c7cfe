//! Names, descriptions and buckets of the worker's own metrics.
//!
//! Units are seconds and bytes, and counters end in `_total`. No label contains an id or a URL. The metrics are
//! written to the global recorder of the crate `metrics`: a Rust worker that embeds this crate installs its
//! own recorder, or none.

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};
use seedance_archiver_seedance::RATE_LIMIT_WAIT;

/// Gauge: the version of the worker, as a label.
pub(super) const BUILD_INFO: &str = "seedance_archiver_build_info";
/// Counter: lifecycles that ended.
pub(crate) const LIFECYCLES_ENDED: &str = "seedance_archiver_lifecycles_ended_total";
/// Counter: polls of tasks.
pub(crate) const POLLS: &str = "seedance_archiver_polls_total";
/// Histogram: time from the last change of a task to the detection of its end.
pub(crate) const DETECTION_LAG: &str = "seedance_archiver_detection_lag_seconds";
/// Histogram: time from the last change of a task to its receipt.
pub(crate) const ARCHIVE_LAG: &str = "seedance_archiver_archive_lag_seconds";
/// Histogram: time left until the archive deadline when the receipt was written.
pub(crate) const ARCHIVE_TIME_LEFT: &str = "seedance_archiver_archive_time_left_seconds";
/// Counter: archived bytes.
pub(crate) const ARCHIVED_BYTES: &str = "seedance_archiver_archived_bytes_total";
/// Counter: tokens of archived videos.
pub(crate) const TOKENS: &str = "seedance_archiver_tokens_total";
/// Histogram: throughput of transfers.
pub(crate) const TRANSFER_SPEED: &str = "seedance_archiver_transfer_bytes_per_second";
/// Gauge: running transfers.
pub(crate) const TRANSFERS_RUNNING: &str = "seedance_archiver_transfers_running";
/// Counter: failed attempts at activities.
pub(crate) const RETRIES: &str = "seedance_archiver_retries_total";
/// Counter: videos whose URL stopped working, and of which the API returned no fresh URL.
pub(crate) const VIDEOS_AT_RISK: &str = "seedance_archiver_videos_at_risk_total";
/// Gauge: open lifecycles.
pub(crate) const OPEN_LIFECYCLES: &str = "seedance_archiver_open_lifecycles";
/// Gauge: the earliest archive deadline of the open lifecycles.
pub(crate) const OLDEST_DEADLINE: &str = "seedance_archiver_oldest_open_deadline_timestamp_seconds";
/// Gauge: lifecycles that Temporal ended within the last hour.
pub(crate) const STOPPED_LIFECYCLES: &str = "seedance_archiver_stopped_lifecycles";
/// Gauge: drafts that expire soon without a final.
pub(crate) const DRAFTS_EXPIRING: &str = "seedance_archiver_drafts_expiring_without_final";
/// Gauge: tasks that the watcher of an account polls.
pub(crate) const WATCHED_TASKS: &str = "seedance_archiver_watched_tasks";
/// Gauge: when the API last answered the watcher of an account.
pub(crate) const WATCHER_ANSWERED: &str = "seedance_archiver_watcher_last_answer_timestamp_seconds";
/// Counter: requests of watchers.
pub(crate) const WATCHER_REQUESTS: &str = "seedance_archiver_watcher_requests_total";
/// Counter: objects that audits verified.
pub(crate) const AUDITED_OBJECTS: &str = "seedance_archiver_audited_objects_total";
/// Counter: bytes that audits read.
pub(crate) const AUDITED_BYTES: &str = "seedance_archiver_audited_bytes_total";
/// Counter: findings of audits.
pub(crate) const AUDIT_FINDINGS: &str = "seedance_archiver_audit_findings_total";
/// Gauge: when the last audit of each schedule completed, the earliest of them.
pub(crate) const AUDIT_COMPLETED: &str = "seedance_archiver_audit_last_completed_timestamp_seconds";
/// Gauge: when an audit is overdue.
pub(crate) const AUDIT_OVERDUE: &str = "seedance_archiver_audit_overdue_timestamp_seconds";
/// Counter: requests of Nexus callers.
pub(crate) const NEXUS_REQUESTS: &str = "seedance_archiver_nexus_requests_total";
/// Counter: attempts to deliver events, and what became of events.
pub(crate) const EVENT_DELIVERIES: &str = "seedance_archiver_event_deliveries_total";
/// Gauge: events that the webhook of an account has not accepted for an hour.
pub(crate) const EVENTS_OVERDUE: &str = "seedance_archiver_events_overdue";
/// Counter: create requests, and what is known of unanswered ones.
pub(crate) const SUBMISSIONS: &str = "seedance_archiver_submissions_total";
/// Counter: failed queries of open lifecycles.
pub(crate) const VISIBILITY_ERRORS: &str = "seedance_archiver_visibility_errors_total";
/// Gauge: tasks of the async runtime.
pub(super) const RUNTIME_TASKS: &str = "seedance_archiver_runtime_tasks";

const MINUTE: f64 = 60.0;
const HOUR: f64 = 60.0 * MINUTE;
const DAY: f64 = 24.0 * HOUR;
const MB: f64 = 1e6;

/// Upper bounds of the buckets of each histogram.
pub(super) const BUCKETS: [(&str, &[f64]); 5] = [
    (
        DETECTION_LAG,
        &[
            1.0,
            2.0,
            5.0,
            10.0,
            30.0,
            MINUTE,
            300.0,
            HOUR,
            6.0 * HOUR,
            DAY,
        ],
    ),
    (
        ARCHIVE_LAG,
        &[
            1.0,
            5.0,
            10.0,
            30.0,
            MINUTE,
            300.0,
            1_800.0,
            HOUR,
            6.0 * HOUR,
            DAY,
            7.0 * DAY,
        ],
    ),
    (
        ARCHIVE_TIME_LEFT,
        &[
            0.0,
            MINUTE,
            600.0,
            HOUR,
            6.0 * HOUR,
            12.0 * HOUR,
            23.0 * HOUR,
            3.0 * DAY,
            7.0 * DAY,
            13.0 * DAY,
            14.0 * DAY,
        ],
    ),
    (
        TRANSFER_SPEED,
        &[
            0.1 * MB,
            0.5 * MB,
            MB,
            5.0 * MB,
            10.0 * MB,
            25.0 * MB,
            50.0 * MB,
            100.0 * MB,
            250.0 * MB,
            500.0 * MB,
        ],
    ),
    (
        RATE_LIMIT_WAIT,
        &[0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0, MINUTE],
    ),
];

/// Registers the description of each metric.
pub(super) fn describe() {
    describe_gauge!(BUILD_INFO, "Version of this worker.");
    describe_counter!(LIFECYCLES_ENDED, "Ended lifecycles, by outcome.");
    describe_counter!(POLLS, "Polls of tasks, by result.");
    describe_histogram!(
        DETECTION_LAG,
        Unit::Seconds,
        "Time from the last change of a task to the detection of its end."
    );
    describe_histogram!(
        ARCHIVE_LAG,
        Unit::Seconds,
        "Time from the last change of a task to its receipt."
    );
    describe_histogram!(
        ARCHIVE_TIME_LEFT,
        Unit::Seconds,
        "Time left until the archive deadline when the receipt was written."
    );
    describe_counter!(ARCHIVED_BYTES, Unit::Bytes, "Archived bytes.");
    describe_counter!(
        TOKENS,
        "Tokens that archived videos were charged for, by account, model and service tier."
    );
    describe_histogram!(
        TRANSFER_SPEED,
        "Throughput of transfers that succeeded on the first attempt."
    );
    describe_gauge!(TRANSFERS_RUNNING, "Transfers running on this worker.");
    describe_counter!(RETRIES, "Failed attempts at activities, by failure type.");
    describe_counter!(
        VIDEOS_AT_RISK,
        "Videos whose URL stopped working, and of which the API returned no fresh URL."
    );
    describe_histogram!(
        RATE_LIMIT_WAIT,
        Unit::Seconds,
        "Time that API calls waited for the rate limit of their account."
    );
    describe_gauge!(
        OPEN_LIFECYCLES,
        "Open lifecycles, by task status. All workers report the same value."
    );
    describe_gauge!(
        OLDEST_DEADLINE,
        Unit::Seconds,
        "Earliest archive deadline of the open lifecycles, or +Inf. All workers report the same value."
    );
    describe_gauge!(
        STOPPED_LIFECYCLES,
        "Lifecycles that were terminated or timed out within the last hour. All workers report the same value."
    );
    describe_gauge!(
        DRAFTS_EXPIRING,
        "Drafts of which a final can be made for at most 24 more hours, and none is known. All workers report the same \
         value."
    );
    describe_gauge!(
        WATCHED_TASKS,
        "Tasks that the watcher of the account polls, on the worker that runs it. 0 on others."
    );
    describe_gauge!(
        WATCHER_ANSWERED,
        Unit::Seconds,
        "When the API last answered the watcher of the account, on the worker that runs it."
    );
    describe_counter!(
        WATCHER_REQUESTS,
        "Requests of watchers to the API, by kind and result."
    );
    describe_counter!(
        AUDITED_OBJECTS,
        "Objects that audits compared with their receipts."
    );
    describe_counter!(AUDITED_BYTES, Unit::Bytes, "Bytes that audits read.");
    describe_counter!(AUDIT_FINDINGS, "Findings of audits, by kind.");
    describe_gauge!(
        AUDIT_COMPLETED,
        Unit::Seconds,
        "When the last audit completed, of the schedule with the earliest. All workers report the same value."
    );
    describe_gauge!(
        AUDIT_OVERDUE,
        Unit::Seconds,
        "When an audit is overdue: two intervals after the last one completed, or +Inf without a schedule. All workers report the same value."
    );
    describe_counter!(
        NEXUS_REQUESTS,
        "Requests of Nexus callers, by operation and result."
    );
    describe_counter!(
        EVENT_DELIVERIES,
        "Events that were delivered, refused, given up or not started, and attempts that are retried."
    );
    describe_gauge!(
        EVENTS_OVERDUE,
        "Events that the webhook of the account has not accepted for an hour. All workers report the same value."
    );
    describe_counter!(
        SUBMISSIONS,
        "Create requests, and what is known of unanswered ones, by result."
    );
    describe_counter!(VISIBILITY_ERRORS, "Failed queries of open lifecycles.");
    describe_gauge!(
        RUNTIME_TASKS,
        "Tasks of the async runtime that were spawned and have not completed."
    );
}
