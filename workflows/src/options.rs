//! The options of each activity: id, timeouts, retries, cancellation and summary.
//!
//! The ids are part of recorded histories: with another id, a history does not replay.

pub(crate) mod submissions;

use std::time::{Duration, SystemTime};

use seedance_archiver_policy::priority::{self, priority_key};
use seedance_archiver_proto::{
    names,
    v1::{SweepPage, VideoTask},
};
use temporalio_common::Priority;
use temporalio_workflow::{
    ActivityCancellationType, ActivityCloseTimeouts, ActivityOptions, RetryPolicy,
    WorkflowCancellationToken,
};

/// Heartbeat timeout of every activity. It decides how soon the death of a worker is noticed. An activity heartbeats also
/// while it waits for the API or the store, so that a slow response does not count as a death.
const HEARTBEAT_TIMEOUT: Duration = Duration::from_secs(20);
/// Start-to-close timeout of a poll: one request to the API, whose client waits for a response for half of that time.
const QUERY_TIMEOUT: Duration = Duration::from_secs(60);
/// Start-to-close timeout of a transfer.
const TRANSFER_TIMEOUT: Duration = Duration::from_secs(6 * 60 * 60);
/// Start-to-close timeout of a page of a sweep, which starts lifecycles at the account's rate limit.
const SWEEP_TIMEOUT: Duration = Duration::from_secs(6 * 60 * 60);
/// Start-to-close timeout of watching an account. The activity itself returns after an hour.
const WATCH_TIMEOUT: Duration = Duration::from_secs(2 * 60 * 60);
/// Heartbeat timeout of watching tasks: how soon another worker takes over.
const WATCH_HEARTBEAT_TIMEOUT: Duration = Duration::from_secs(15);
/// Heartbeat timeout of waiting for tasks to watch.
const IDLE_HEARTBEAT_TIMEOUT: Duration = Duration::from_secs(60);
/// Maximum interval between two attempts to watch an account.
const MAX_WATCH_RETRY_INTERVAL: Duration = Duration::from_secs(10);
/// Start-to-close timeout of verifying the share of an audit. The activity itself returns after half an hour, unless its
/// store lists keys in no order, so that it cannot be continued.
const AUDIT_TIMEOUT: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// Schedule-to-close timeout of writing `outcome.json`.
const RECORD_TIMEOUT: Duration = Duration::from_secs(60 * 60);
/// Start-to-close timeout of posting an event: one request, which has a shorter timeout of its own.
const DELIVER_TIMEOUT: Duration = Duration::from_secs(60);
/// Schedule-to-close timeout of activities after the workflow was cancelled: enough for another worker to take over from
/// one that died.
const CANCEL_TIMEOUT: Duration = Duration::from_secs(2 * 60);
/// Maximum interval between two attempts, unless a failure has a `next_retry_delay`.
const MAX_RETRY_INTERVAL: Duration = Duration::from_secs(60);

/// Returns the options of `QueryVideoTask`.
///
/// Retries are not limited: the activity itself fails with a verdict when polling can no longer help. The
/// workflow waits for a cancelled attempt, because its result may be a later status, and because the next
/// activity cannot reuse the id before.
pub(crate) fn query(known_status: &str, token: WorkflowCancellationToken) -> ActivityOptions {
    ActivityOptions::with_start_to_close_timeout(QUERY_TIMEOUT)
        .activity_id(names::QUERY_ACTIVITY_ID)
        .cancellation_type(ActivityCancellationType::WaitCancellationCompleted)
        .cancellation_token(token)
        .heartbeat_timeout(HEARTBEAT_TIMEOUT)
        .retry_policy(unlimited_retries())
        .summary(format!("poll while {known_status}"))
        .build()
}

/// Returns the options of `ArchiveVideo`.
///
/// Retries are not limited: the activity itself fails with a verdict when the video can no longer be fetched. The
/// workflow waits for a cancelled attempt, because it aborts its upload.
pub(crate) fn archive(
    task_queue: String,
    task: &VideoTask,
    now: Option<SystemTime>,
) -> ActivityOptions {
    ActivityOptions::with_start_to_close_timeout(TRANSFER_TIMEOUT)
        .activity_id(names::ARCHIVE_ACTIVITY_ID)
        .task_queue(task_queue)
        .cancellation_type(ActivityCancellationType::WaitCancellationCompleted)
        .heartbeat_timeout(HEARTBEAT_TIMEOUT)
        .retry_policy(unlimited_retries())
        .priority(priority(task.archive_deadline, now))
        .summary(format!("archive {}", task.model))
        .build()
}

/// Returns the options of `RecordOutcome`.
///
/// The time of all attempts is limited, because the workflow's result must not wait for a store that is down. If the
/// workflow is cancelled, the limit is shorter, and the cancellation does not reach the activity.
pub(crate) fn record_outcome(
    activity_id: &str,
    task_queue: String,
    is_cancelled: bool,
) -> ActivityOptions {
    let schedule_to_close = if is_cancelled {
        CANCEL_TIMEOUT
    } else {
        RECORD_TIMEOUT
    };
    let options = ActivityOptions::with_close_timeouts(ActivityCloseTimeouts::ScheduleToClose(
        schedule_to_close,
    ))
    .activity_id(activity_id)
    .task_queue(task_queue)
    .heartbeat_timeout(HEARTBEAT_TIMEOUT)
    .retry_policy(unlimited_retries())
    .summary("write outcome.json");
    if is_cancelled {
        return options
            .cancellation_token(WorkflowCancellationToken::new())
            .build();
    }
    options.build()
}

/// Returns the options of `SweepVideoTaskPage`. Retries are not limited: a repeated page finds the lifecycles
/// that earlier attempts started running.
pub(crate) fn sweep_page(page: &SweepPage) -> ActivityOptions {
    ActivityOptions::with_start_to_close_timeout(SWEEP_TIMEOUT)
        .cancellation_type(ActivityCancellationType::WaitCancellationCompleted)
        .heartbeat_timeout(HEARTBEAT_TIMEOUT)
        .retry_policy(unlimited_retries())
        .summary(format!("{}, page {}", page.list_name(), page.page_num))
        .build()
}

/// Returns the options of `WatchAccount`. Retries are not limited, and quick: nobody else watches meanwhile. While nothing
/// is watched, heartbeats are rare, because each one is an action that Temporal Cloud charges for.
pub(crate) fn watch(is_busy: bool) -> ActivityOptions {
    let heartbeat_timeout = match is_busy {
        true => WATCH_HEARTBEAT_TIMEOUT,
        false => IDLE_HEARTBEAT_TIMEOUT,
    };
    ActivityOptions::with_start_to_close_timeout(WATCH_TIMEOUT)
        .activity_id(names::WATCH_ACTIVITY_ID)
        .cancellation_type(ActivityCancellationType::WaitCancellationCompleted)
        .heartbeat_timeout(heartbeat_timeout)
        .retry_policy(
            RetryPolicy::builder()
                .maximum_interval(MAX_WATCH_RETRY_INTERVAL)
                .build(),
        )
        .summary(match is_busy {
            true => "watch the tasks of the account",
            false => "wait for tasks of the account",
        })
        .build()
}

/// Returns the options of `AuditShare`. Transfers go first. Retries are not limited: the next one continues after the last
/// receipt that was verified.
pub(crate) fn audit_share(task_queue: String) -> ActivityOptions {
    let mut priority = Priority::default();
    priority.priority_key = Some(priority::LOWEST);
    ActivityOptions::with_start_to_close_timeout(AUDIT_TIMEOUT)
        .activity_id(names::AUDIT_ACTIVITY_ID)
        .task_queue(task_queue)
        .cancellation_type(ActivityCancellationType::WaitCancellationCompleted)
        .heartbeat_timeout(HEARTBEAT_TIMEOUT)
        .retry_policy(unlimited_retries())
        .priority(priority)
        .summary("verify the oldest part of the archive")
        .build()
}

/// Returns the options of `CancelVideoTask`. It runs in a cancelled workflow, so the cancellation must not reach
/// it.
pub(crate) fn cancel_task() -> ActivityOptions {
    ActivityOptions::with_close_timeouts(ActivityCloseTimeouts::ScheduleToClose(CANCEL_TIMEOUT))
        .activity_id(names::CANCEL_ACTIVITY_ID)
        .heartbeat_timeout(HEARTBEAT_TIMEOUT)
        .cancellation_token(WorkflowCancellationToken::new())
        .summary("cancel the task")
        .build()
}

/// Returns the options of `DeliverEvent`. Retries are not limited: the activity itself gives up.
pub(crate) fn deliver_event() -> ActivityOptions {
    ActivityOptions::with_start_to_close_timeout(DELIVER_TIMEOUT)
        .activity_id(names::DELIVER_ACTIVITY_ID)
        .heartbeat_timeout(HEARTBEAT_TIMEOUT)
        .retry_policy(unlimited_retries())
        .summary("post the event to the webhook")
        .build()
}

fn priority(archive_deadline: i64, now: Option<SystemTime>) -> Priority {
    let mut priority = Priority::default();
    priority.priority_key = priority_key(archive_deadline, now);
    priority
}

fn unlimited_retries() -> RetryPolicy {
    RetryPolicy::builder()
        .maximum_interval(MAX_RETRY_INTERVAL)
        .build()
}
