//! Builds the result of a lifecycle from the results of its activities.

use seedance_archiver_proto::{
    outcome,
    reason::{self, CANCELLED_AND_PURGED, CANCELLED_BY_CALLER, ERASED, OUTSIDE_QUERY_WINDOW},
    status,
    v1::{Manifest, VideoTask, VideoTaskLifecycleResult},
};

/// Returns the result `archived`. A lifecycle that finds the receipt of an earlier one may have no record of the task.
pub fn archived(task: Option<VideoTask>, manifest: Manifest) -> VideoTaskLifecycleResult {
    VideoTaskLifecycleResult {
        outcome: outcome::ARCHIVED.into(),
        task,
        warnings: manifest.warnings.clone(),
        manifest: Some(manifest),
        ..VideoTaskLifecycleResult::default()
    }
}

/// Returns the result of a task that was erased. It is not lost: somebody decided that it has no video.
pub fn erased(task: Option<VideoTask>, message: String) -> VideoTaskLifecycleResult {
    after_verdict(ERASED.into(), message, task)
}

/// Returns the result of a task that ended without a video. The reason is the service's error code if there
/// is one, otherwise the status.
pub fn unsuccessful(task: VideoTask) -> VideoTaskLifecycleResult {
    let error = task.error.clone().unwrap_or_default();
    let message = match task.status.as_str() {
        _ if !error.message.is_empty() => error.message,
        status::CANCELLED => "the task was cancelled".into(),
        status::EXPIRED => "the task did not finish within execution_expires_after".into(),
        _ => "the service gave no error message".into(),
    };
    let reason = if error.code.is_empty() {
        task.status.clone()
    } else {
        error.code
    };
    VideoTaskLifecycleResult {
        outcome: outcome::UNSUCCESSFUL.into(),
        task: Some(task),
        reason,
        message,
        ..VideoTaskLifecycleResult::default()
    }
}

/// Returns the result after an activity failed with a verdict, for this reason. A task is lost if the API ever
/// returned its record, and unknown otherwise. One that was erased is neither: somebody decided that it has no video.
pub fn after_verdict(
    reason: String,
    message: String,
    task: Option<VideoTask>,
) -> VideoTaskLifecycleResult {
    let outcome = match reason.as_str() {
        CANCELLED_AND_PURGED | ERASED => outcome::UNSUCCESSFUL,
        OUTSIDE_QUERY_WINDOW => outcome::UNKNOWN,
        _ if task.is_none() => outcome::UNKNOWN,
        _ => outcome::LOST,
    };
    VideoTaskLifecycleResult {
        outcome: outcome.into(),
        task,
        reason,
        message,
        ..VideoTaskLifecycleResult::default()
    }
}

/// Returns the result of a lifecycle whose workflow was cancelled. `task_effect` describes the effect on
/// the task.
pub fn cancelled_by_caller(task_effect: &str, task: Option<VideoTask>) -> VideoTaskLifecycleResult {
    VideoTaskLifecycleResult {
        outcome: outcome::UNKNOWN.into(),
        task,
        reason: CANCELLED_BY_CALLER.into(),
        message: format!("the lifecycle was cancelled; {task_effect}"),
        ..VideoTaskLifecycleResult::default()
    }
}

/// Returns the result of a lifecycle whose workflow fails with a failure of this type. It is recorded, and not returned.
pub fn failed(
    failure_type: &str,
    message: String,
    task: Option<VideoTask>,
) -> VideoTaskLifecycleResult {
    VideoTaskLifecycleResult {
        outcome: outcome::UNKNOWN.into(),
        task,
        reason: reason::from_failure_type(failure_type),
        message,
        ..VideoTaskLifecycleResult::default()
    }
}

/// Returns the result of a lifecycle whose workflow was terminated, timed out or cancelled before it returned
/// one. `reason` is which of these.
pub fn stopped(reason: &str) -> VideoTaskLifecycleResult {
    VideoTaskLifecycleResult {
        outcome: outcome::UNKNOWN.into(),
        reason: reason.into(),
        message: format!("the lifecycle was {}", reason.replace('_', " ")),
        ..VideoTaskLifecycleResult::default()
    }
}

#[cfg(test)]
mod tests;
