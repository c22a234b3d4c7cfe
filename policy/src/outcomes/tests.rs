use seedance_archiver_proto::{reason, v1::VideoTaskError};

use super::*;

fn task(status: &str) -> VideoTask {
    VideoTask {
        id: "cgt-1".into(),
        status: status.into(),
        ..Default::default()
    }
}

#[test]
fn an_unsuccessful_task_has_the_reason_of_the_service() {
    let why = |status, code: &str, message: &str| {
        let mut task = task(status);
        task.error = Some(VideoTaskError {
            code: code.into(),
            message: message.into(),
        });
        let result = unsuccessful(task);
        assert_eq!(result.outcome, "unsuccessful");
        (result.reason, result.message)
    };
    let said = |reason: &str, message: &str| (reason.to_owned(), message.to_owned());
    assert_eq!(why("failed", "Code", "message"), said("Code", "message"));
    assert_eq!(why("failed", "", "message"), said("failed", "message"));
    assert_eq!(why("failed", "Code", "").0, "Code");
    assert_eq!(
        why("cancelled", "", ""),
        said("cancelled", "the task was cancelled")
    );
    let (reason, message) = why("expired", "", "");
    assert!(reason == "expired" && message.contains("execution_expires_after"));
}

#[test]
fn a_verdict_on_a_task_that_was_seen_is_lost() {
    let outcome = |reason: &str, task| after_verdict(reason.into(), "message".into(), task).outcome;
    let seen = || Some(task("running"));
    for reason in [
        reason::QUERY_WINDOW_CLOSED,
        reason::RECORD_VANISHED,
        reason::URL_EXPIRED,
        "unauthorized",
    ] {
        assert_eq!(outcome(reason, seen()), "lost", "{reason}");
        assert_eq!(outcome(reason, None), "unknown", "{reason}");
    }
    assert_eq!(outcome(reason::TASK_NOT_FOUND, None), "unknown");
    assert_eq!(outcome(reason::OUTSIDE_QUERY_WINDOW, seen()), "unknown");
    assert_eq!(
        outcome(reason::CANCELLED_AND_PURGED, seen()),
        "unsuccessful"
    );
}
