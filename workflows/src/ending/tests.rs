use seedance_archiver_proto::v1::VideoTaskError;

use super::*;

fn task(status: &str) -> VideoTask {
    VideoTask {
        id: "cgt-1".into(),
        status: status.into(),
        ..Default::default()
    }
}

#[test]
fn an_unsuccessful_task_says_why() {
    let mut failed = task(status::FAILED);
    failed.error = Some(VideoTaskError {
        code: "Code".into(),
        message: "why".into(),
    });
    assert_eq!(unsuccessful(failed.clone()).reason, "Code: why");
    failed.error = Some(VideoTaskError {
        code: String::new(),
        message: "why".into(),
    });
    assert_eq!(unsuccessful(failed).reason, "why");
    assert!(
        unsuccessful(task(status::EXPIRED))
            .reason
            .contains("execution_expires_after")
    );
    assert_eq!(unsuccessful(task(status::CANCELLED)).reason, "cancelled");
}

#[test]
fn a_failure_ends_the_lifecycle_only_where_it_settles_the_outcome() {
    let outcome = |failure_type, last_seen| {
        after_failure(failure_type, "because", last_seen).map(|result| result.outcome)
    };
    let seen = || Some(task(status::RUNNING));
    assert_eq!(
        outcome(failure::TASK_NOT_FOUND, None).as_deref(),
        Some("unknown")
    );
    assert_eq!(
        outcome(failure::QUERY_WINDOW_CLOSED, None).as_deref(),
        Some("unknown")
    );
    assert_eq!(
        outcome(failure::QUERY_WINDOW_CLOSED, seen()).as_deref(),
        Some("lost")
    );
    assert_eq!(
        outcome(failure::URL_EXPIRED, seen()).as_deref(),
        Some("lost")
    );
    assert_eq!(outcome(failure::INVALID_REQUEST, seen()), None);
    assert_eq!(outcome(failure::STORE_CONFLICT, seen()), None);
}

#[test]
fn a_deadline_loses_the_video_and_says_of_what() {
    let result = after_deadline("the bucket is full", task(status::SUCCEEDED));
    assert_eq!(result.outcome, "lost");
    assert!(
        result.reason.ends_with(": the bucket is full"),
        "{result:?}"
    );
    assert!(result.task.is_some());
}
