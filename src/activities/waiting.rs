//! Whether a `QueryVideoTask` still waits for a change or a URL, and its message meanwhile; how long an activity has waited.

use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use seedance_archiver_clock::Clock;
use seedance_archiver_policy::poll::{self, lacks_url};
use seedance_archiver_proto::{
    status,
    time::from_unix_seconds,
    v1::{QueryVideoTaskRequest, VideoTask},
};
use temporalio_sdk::activities::ActivityContext;

use super::failure;

/// Returns whether the caller's wait is over: the status is later than the known one, and the record of a
/// succeeded task has a URL.
pub(super) fn has_changed(task: &VideoTask, request: &QueryVideoTaskRequest) -> bool {
    poll::is_later_status(&task.status, &request.known_status) && !lacks_url(task)
}

/// Returns how long an activity has waited, over all its attempts.
pub(super) fn waited(ctx: &ActivityContext, clock: &Clock) -> Duration {
    let scheduled_at = ctx.info().scheduled_time.map(|time| clock.at(time));
    let waited = scheduled_at.and_then(|time| clock.now().duration_since(time).ok());
    waited.unwrap_or_default()
}

/// How long a succeeded task may have no URL before that is unusual. Records get their URL within seconds.
const MAX_TIME_WITHOUT_URL: Duration = Duration::from_secs(10 * 60);
/// What an operator can do about a record without a URL.
pub(super) const URL_ELSEWHERE: &str =
    "; the URL may be in another field of the record: see `video_url_pointer`";

/// Returns whether a task succeeded some time ago, and its record has no URL.
pub(super) fn lacks_url_for_long(task: &VideoTask, now: SystemTime) -> bool {
    let updated_at = from_unix_seconds(task.updated_at);
    let since = updated_at.and_then(|updated_at| now.duration_since(updated_at).ok());
    lacks_url(task) && since.is_none_or(|since| since > MAX_TIME_WITHOUT_URL)
}

/// Returns the message of `StillWaiting`, which the Temporal UI shows while the activity is pending.
pub(super) fn message(task: &VideoTask, attempt: u32, delay: Duration) -> String {
    let since = Timestamp::from_second(task.updated_at)
        .ok()
        .filter(|_| task.updated_at > 0)
        .map(|time| format!(" since {time}"))
        .unwrap_or_default();
    let status = match lacks_url(task) {
        true => format!("succeeded{since}, but the record has no URL"),
        false if !status::ALL.contains(&task.status.as_str()) => {
            format!("still `{}`{since}, an unknown status", task.status)
        }
        false => format!("still {}{since}", task.status),
    };
    format!(
        "{status}; polled {attempt} time{}; next poll in {}",
        if attempt == 1 { "" } else { "s" },
        failure::seconds(delay)
    )
}

#[cfg(test)]
mod tests {
    use seedance_archiver_proto::v1::VideoContent;

    use super::*;

    fn task(status: &str, video_url: &str) -> VideoTask {
        VideoTask {
            status: status.into(),
            updated_at: 1_764_000_000,
            content: Some(VideoContent {
                video_url: video_url.into(),
                ..VideoContent::default()
            }),
            ..VideoTask::default()
        }
    }

    #[test]
    fn a_waiting_message_says_the_status_the_polls_and_the_delay() {
        assert_eq!(
            message(&task("running", ""), 9, Duration::from_secs(6)),
            "still running since 2025-11-24T16:00:00Z; polled 9 times; next poll in 6 s"
        );
        assert_eq!(
            message(&task("succeeded", ""), 1, Duration::from_millis(1_500)),
            "succeeded since 2025-11-24T16:00:00Z, but the record has no URL; polled 1 time; next poll in 2 s"
        );
        let unknown = VideoTask {
            updated_at: 0,
            ..task("Reviewing", "")
        };
        assert_eq!(
            message(&unknown, 2, Duration::from_secs(6)),
            "still `Reviewing`, an unknown status; polled 2 times; next poll in 6 s"
        );
    }

    #[test]
    fn a_task_without_a_url_is_unusual_after_ten_minutes() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_764_000_000 + 600);
        let second = Duration::from_secs(1);
        assert!(!lacks_url_for_long(&task("succeeded", ""), now));
        assert!(lacks_url_for_long(&task("succeeded", ""), now + second));
        assert!(!lacks_url_for_long(
            &task("succeeded", "https://a"),
            now + second
        ));
        assert!(!lacks_url_for_long(&task("running", ""), now + second));
    }

    #[test]
    fn a_task_that_succeeded_without_a_url_has_not_changed() {
        let request = QueryVideoTaskRequest {
            known_status: "running".into(),
            ..QueryVideoTaskRequest::default()
        };
        assert!(has_changed(&task("succeeded", "sealed:v1:k:u"), &request));
        assert!(!has_changed(&task("succeeded", ""), &request));
        assert!(!has_changed(&task("running", ""), &request));
        assert!(has_changed(&task("failed", ""), &request));
    }
}
