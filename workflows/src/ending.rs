//! How what is known becomes an outcome.

use seedance_archiver_proto::{
    names::failure,
    outcome,
    reason::{self, CANCELLED_AND_PURGED, CANCELLED_BY_CALLER, OUTSIDE_QUERY_WINDOW},
    status,
    v1::{Manifest, Verdict, VideoTask, VideoTaskLifecycleResult},
};
use temporalio_common::error::ApplicationFailure;

use crate::reply::Reply;

/// The video is in the archive.
pub fn archived(task: VideoTask, manifest: Manifest) -> VideoTaskLifecycleResult {
    VideoTaskLifecycleResult {
        outcome: outcome::ARCHIVED.into(),
        task: Some(task),
        manifest: Some(manifest),
        ..VideoTaskLifecycleResult::default()
    }
}

/// Upstream ended the task without a video. The reason is upstream's own, where it gave one.
pub fn unsuccessful(task: VideoTask) -> VideoTaskLifecycleResult {
    let error = task.error.clone().unwrap_or_default();
    let message = match task.status.as_str() {
        _ if !error.message.is_empty() => error.message,
        status::CANCELLED => "the task was cancelled".into(),
        status::EXPIRED => "the task was not finished within execution_expires_after".into(),
        _ => "the service did not say why".into(),
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

/// An activity found that nothing more can be done. Its verdict counts with what the lifecycle has
/// seen itself: what was seen is lost, what was never seen is unknown.
pub fn after_verdict(
    verdict: Verdict,
    message: String,
    last_seen: Option<VideoTask>,
) -> VideoTaskLifecycleResult {
    let task = verdict.task.or(last_seen);
    let outcome = match verdict.reason.as_str() {
        CANCELLED_AND_PURGED => outcome::UNSUCCESSFUL,
        OUTSIDE_QUERY_WINDOW => outcome::UNKNOWN,
        _ if task.is_none() => outcome::UNKNOWN,
        _ => outcome::LOST,
    };
    VideoTaskLifecycleResult {
        outcome: outcome.into(),
        task,
        reason: verdict.reason,
        message,
        ..VideoTaskLifecycleResult::default()
    }
}

/// The workflow was cancelled. `task_too` says what became of the task.
pub fn cancelled_by_caller(task_too: &str, task: Option<VideoTask>) -> VideoTaskLifecycleResult {
    VideoTaskLifecycleResult {
        outcome: outcome::UNKNOWN.into(),
        task,
        reason: CANCELLED_BY_CALLER.into(),
        message: format!("the lifecycle was cancelled; {task_too}"),
        ..VideoTaskLifecycleResult::default()
    }
}

/// The archive has another video under the task's name.
pub fn conflict(message: String, task: Option<VideoTask>) -> VideoTaskLifecycleResult {
    VideoTaskLifecycleResult {
        outcome: outcome::UNKNOWN.into(),
        task,
        reason: reason::of_failure(failure::STORE_CONFLICT),
        message,
        ..VideoTaskLifecycleResult::default()
    }
}

/// The lifecycle was stopped from outside, and could not say more. `reason` says how.
pub fn stopped(reason: &str) -> VideoTaskLifecycleResult {
    VideoTaskLifecycleResult {
        outcome: outcome::UNKNOWN.into(),
        reason: reason.into(),
        message: format!("the lifecycle was {}", reason.replace('_', " ")),
        ..VideoTaskLifecycleResult::default()
    }
}

/// The failure that a lost video is, with the result in its details.
pub fn video_lost(result: Reply<VideoTaskLifecycleResult>) -> ApplicationFailure {
    let message = {
        let result = result.message();
        format!("{}: {}", result.reason, result.message)
    };
    ApplicationFailure::builder(message)
        .type_name(failure::VIDEO_LOST.to_owned())
        .non_retryable(true)
        .details(result)
        .build()
}

#[cfg(test)]
mod tests;
