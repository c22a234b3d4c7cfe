//! How what is known becomes an outcome.

use seedance_archiver_proto::{
    names::failure,
    outcome, status,
    v1::{Manifest, VideoTask, VideoTaskLifecycleResult},
};

/// The video is in the archive.
pub fn archived(task: VideoTask, manifest: Manifest) -> VideoTaskLifecycleResult {
    VideoTaskLifecycleResult {
        outcome: outcome::ARCHIVED.into(),
        task: Some(task),
        manifest: Some(manifest),
        reason: String::new(),
    }
}

/// Upstream ended the task without a video.
pub fn unsuccessful(task: VideoTask) -> VideoTaskLifecycleResult {
    let reason = match (&task.error, task.status.as_str()) {
        (Some(error), _) => {
            let parts = [error.code.as_str(), error.message.as_str()];
            let said = parts.into_iter().filter(|part| !part.is_empty());
            said.collect::<Vec<_>>().join(": ")
        }
        (None, status::EXPIRED) => "expired: not finished within execution_expires_after".into(),
        (None, status) => status.to_owned(),
    };
    without_video(outcome::UNSUCCESSFUL, &reason, Some(task))
}

/// How the failure of an activity ends the lifecycle. `None`: it does not, the failure is the
/// workflow's own.
pub fn after_failure(
    failure_type: &str,
    message: &str,
    last_seen: Option<VideoTask>,
) -> Option<VideoTaskLifecycleResult> {
    let outcome = match failure_type {
        failure::TASK_NOT_FOUND => outcome::UNKNOWN,
        failure::QUERY_WINDOW_CLOSED if last_seen.is_none() => outcome::UNKNOWN,
        failure::QUERY_WINDOW_CLOSED | failure::URL_EXPIRED => outcome::LOST,
        _ => return None,
    };
    Some(without_video(outcome, message, last_seen))
}

/// No transfer succeeded within the longest life of a video URL. `last_fault` is what the last one
/// failed of.
pub fn after_deadline(last_fault: &str, task: VideoTask) -> VideoTaskLifecycleResult {
    let reason = format!("no transfer succeeded while the video URL lived: {last_fault}");
    without_video(outcome::LOST, &reason, Some(task))
}

fn without_video(
    outcome: &str,
    reason: &str,
    last_seen: Option<VideoTask>,
) -> VideoTaskLifecycleResult {
    VideoTaskLifecycleResult {
        outcome: outcome.into(),
        task: last_seen,
        manifest: None,
        reason: reason.to_owned(),
    }
}

#[cfg(test)]
mod tests;
