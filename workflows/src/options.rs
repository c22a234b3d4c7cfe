//! How each activity is run.

use std::time::{Duration, SystemTime};

use seedance_archiver_policy::priority::priority_key;
use seedance_archiver_proto::{
    names,
    v1::{SweepPage, VideoTask},
};
use temporalio_common::Priority;
use temporalio_workflow::{
    ActivityCancellationType, ActivityCloseTimeouts, ActivityOptions, RetryPolicy,
    WorkflowCancellationToken,
};

/// One question: a request to the API and its answer.
const QUESTION_TIMEOUT: Duration = Duration::from_secs(60);
/// One attempt at a transfer. A stalled one is found by its heartbeats, long before.
const TRANSFER_TIMEOUT: Duration = Duration::from_secs(6 * 60 * 60);
/// How long a dead worker's transfer goes unnoticed.
const TRANSFER_HEARTBEAT: Duration = Duration::from_secs(20);
/// Longest time between two attempts that no explicit delay spaces.
const LONGEST_BACKOFF: Duration = Duration::from_secs(60);
/// One page of a sweep: its starts are as slow as the account's questions.
const SWEEP_TIMEOUT: Duration = Duration::from_secs(6 * 60 * 60);
/// How long a dead worker's page goes unnoticed.
const SWEEP_HEARTBEAT: Duration = Duration::from_secs(30);
/// How long the record of an outcome is tried.
const RECORD_TIME: Duration = Duration::from_secs(60 * 60);
/// How long anything is tried for a workflow that was cancelled: it is to end at once.
const CANCEL_TIME: Duration = Duration::from_secs(30);

/// Retried for as long as it takes: the activity itself says when asking can no longer help. A
/// question under way is waited for when it is cancelled: its answer may be news, and no other can
/// have its id before.
pub(crate) fn question(known_status: &str, token: WorkflowCancellationToken) -> ActivityOptions {
    ActivityOptions::with_start_to_close_timeout(QUESTION_TIMEOUT)
        .activity_id(names::QUERY_ACTIVITY_ID)
        .cancellation_type(ActivityCancellationType::WaitCancellationCompleted)
        .cancellation_token(token)
        .retry_policy(patient())
        .summary(format!("wait while {known_status}"))
        .build()
}

/// Retried for as long as it takes: the activity itself says when the bytes can no longer be had. One
/// that is cancelled is waited for, because it cleans up.
pub(crate) fn transfer(
    task_queue: String,
    task: &VideoTask,
    now: Option<SystemTime>,
) -> ActivityOptions {
    ActivityOptions::with_start_to_close_timeout(TRANSFER_TIMEOUT)
        .activity_id(names::ARCHIVE_ACTIVITY_ID)
        .task_queue(task_queue)
        .cancellation_type(ActivityCancellationType::WaitCancellationCompleted)
        .heartbeat_timeout(TRANSFER_HEARTBEAT)
        .retry_policy(patient())
        .priority(priority(task.archive_deadline, now))
        .summary(format!("archive {}", task.model))
        .build()
}

/// Tried for a while: what is known must not wait for a store, and even less after a person has
/// cancelled the workflow. Cancelling it meanwhile ends this too.
pub(crate) fn record(task_queue: String, is_cancelled: bool) -> ActivityOptions {
    let schedule_to_close = if is_cancelled {
        CANCEL_TIME
    } else {
        RECORD_TIME
    };
    let options = ActivityOptions::with_close_timeouts(ActivityCloseTimeouts::ScheduleToClose(
        schedule_to_close,
    ))
    .activity_id("record")
    .task_queue(task_queue)
    .retry_policy(patient())
    .summary("record the outcome");
    if is_cancelled {
        return options
            .cancellation_token(WorkflowCancellationToken::new())
            .build();
    }
    options.build()
}

/// Retried for as long as it takes, on any worker: what earlier attempts have started is running.
pub(crate) fn sweep_page(page: &SweepPage) -> ActivityOptions {
    ActivityOptions::with_start_to_close_timeout(SWEEP_TIMEOUT)
        .cancellation_type(ActivityCancellationType::WaitCancellationCompleted)
        .heartbeat_timeout(SWEEP_HEARTBEAT)
        .retry_policy(patient())
        .summary(format!(
            "tier {}, page {}",
            page.service_tier, page.page_num
        ))
        .build()
}

/// Not cancelled with the workflow, which it is part of cancelling.
pub(crate) fn cancel_task() -> ActivityOptions {
    ActivityOptions::with_close_timeouts(ActivityCloseTimeouts::ScheduleToClose(CANCEL_TIME))
        .activity_id("cancel")
        .cancellation_token(WorkflowCancellationToken::new())
        .summary("cancel the task upstream")
        .build()
}

fn priority(archive_deadline: i64, now: Option<SystemTime>) -> Priority {
    let mut priority = Priority::default();
    priority.priority_key = priority_key(archive_deadline, now);
    priority
}

fn patient() -> RetryPolicy {
    RetryPolicy::builder()
        .maximum_interval(LONGEST_BACKOFF)
        .build()
}
