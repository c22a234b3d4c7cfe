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
    assert_eq!(
        why("failed", "Code", ""),
        said("Code", "the service gave no error message")
    );
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
    assert_eq!(outcome(reason::ERASED, seen()), "unsuccessful");
    assert_eq!(erased(None, "message".into()).reason, "erased");
}

#[test]
fn an_archived_task_has_its_receipt_and_the_warnings_in_it() {
    let manifest = Manifest {
        task_id: "cgt-1".into(),
        warnings: vec!["no last frame".into()],
        ..Manifest::default()
    };
    let expected = VideoTaskLifecycleResult {
        outcome: "archived".into(),
        task: Some(task("succeeded")),
        manifest: Some(manifest.clone()),
        warnings: vec!["no last frame".into()],
        ..VideoTaskLifecycleResult::default()
    };
    assert_eq!(archived(Some(task("succeeded")), manifest), expected);
}

#[test]
fn a_result_has_the_last_record_of_the_task() {
    let seen = Some(task("running"));
    for result in [
        unsuccessful(task("running")),
        after_verdict("url_expired".into(), "message".into(), seen.clone()),
        cancelled_by_caller("effect", seen.clone()),
        failed("StoreConflict", "message".into(), seen.clone()),
    ] {
        assert_eq!(result.task, seen, "{}", result.reason);
    }
}

#[test]
fn an_ending_without_a_verdict_is_unknown() {
    let why = |result: VideoTaskLifecycleResult| {
        assert_eq!(result.outcome, "unknown", "{}", result.reason);
        (result.reason, result.message)
    };
    let said = |reason: &str, message: &str| (reason.to_owned(), message.to_owned());
    assert_eq!(
        why(cancelled_by_caller("the task was left running", None)),
        said(
            "cancelled_by_caller",
            "the lifecycle was cancelled; the task was left running"
        )
    );
    assert_eq!(
        why(failed("StoreConflict", "key taken".into(), None)),
        said("store_conflict", "key taken")
    );
    assert_eq!(
        why(stopped("timed_out")),
        said("timed_out", "the lifecycle was timed out")
    );
}

#[test]
fn a_verdict_gives_its_reason_and_message() {
    let result = after_verdict("url_expired".into(), "too late".into(), None);
    assert_eq!(
        (&*result.reason, &*result.message),
        ("url_expired", "too late")
    );
}
