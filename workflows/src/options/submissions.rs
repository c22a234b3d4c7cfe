//! The options of the activities of `GenerateVideo` and `VideoTaskSubmission`.

use std::time::Duration;

use seedance_archiver_proto::names;
use temporalio_workflow::{ActivityCancellationType, ActivityOptions, WorkflowCancellationToken};

use super::{HEARTBEAT_TIMEOUT, SWEEP_TIMEOUT, unlimited_retries};

/// Start-to-close timeout of creating a task: one request, and some seconds for its submission.
const CREATE_TIMEOUT: Duration = Duration::from_secs(2 * 60);
/// Start-to-close timeout of waiting for a video. A wait that times out is retried.
const AWAIT_TIMEOUT: Duration = Duration::from_secs(15 * 24 * 60 * 60);

/// Returns the options of `CreateVideoTask`.
///
/// Retries are not limited: the activity itself knows whether it may send a request. The workflow waits for a cancelled
/// attempt, because its request may be on the way.
pub(crate) fn create() -> ActivityOptions {
    ActivityOptions::with_start_to_close_timeout(CREATE_TIMEOUT)
        .activity_id(names::CREATE_ACTIVITY_ID)
        .cancellation_type(ActivityCancellationType::WaitCancellationCompleted)
        .heartbeat_timeout(HEARTBEAT_TIMEOUT)
        .retry_policy(unlimited_retries())
        .summary("create the task")
        .build()
}

/// Returns the options of `FindSubmittedTask`. Retries are not limited: the activity itself decides when to give up.
pub(crate) fn find(token: WorkflowCancellationToken) -> ActivityOptions {
    ActivityOptions::with_start_to_close_timeout(SWEEP_TIMEOUT)
        .activity_id(names::FIND_ACTIVITY_ID)
        .cancellation_token(token)
        .heartbeat_timeout(HEARTBEAT_TIMEOUT)
        .retry_policy(unlimited_retries())
        .summary("look for the task in the list")
        .build()
}

/// Returns the options of `AwaitVideoTask`. Retries are not limited.
pub(crate) fn await_video() -> ActivityOptions {
    ActivityOptions::with_start_to_close_timeout(AWAIT_TIMEOUT)
        .activity_id(names::AWAIT_ACTIVITY_ID)
        .heartbeat_timeout(HEARTBEAT_TIMEOUT)
        .retry_policy(unlimited_retries())
        .summary("wait for the video")
        .build()
}
