//! The paths that recorded workflows took.

use crate::{
    edited,
    workflow_path::{path, workflow_type},
};

#[test]
fn the_path_of_a_workflow_has_what_its_code_and_its_caller_decide() -> anyhow::Result<()> {
    let history = edited::history("v0.2.0/VideoTaskLifecycle-unknown-9.json")?;
    assert_eq!(workflow_type(&history), "VideoTaskLifecycle");
    assert_eq!(
        path(&history),
        [
            "encoding json/plain",
            "activity QueryVideoTask",
            "activity id query",
            "cancel requested",
            "ActivityTaskCancelRequested",
            "ActivityTaskFailed TaskNotFound",
            "patch record-every-ending",
            "activity RecordOutcome",
            "activity id record",
            "ActivityTaskCompleted",
            "ended unknown",
            "reason cancelled_by_caller",
        ]
    );
    Ok(())
}

#[test]
fn the_path_of_a_submission_has_its_children() -> anyhow::Result<()> {
    let history = edited::history("v0.2.0/VideoTaskSubmission-completed-5.json")?;
    assert_eq!(
        path(&history),
        [
            "encoding json/plain",
            "TimerStarted",
            "signal created",
            "child VideoTaskLifecycle",
            "child VideoTaskLifecycle not started",
            "child VideoTaskClaim",
            "ChildWorkflowExecutionStarted",
            "ended completed",
        ]
    );
    Ok(())
}

#[test]
fn the_path_of_a_lost_video_has_the_reason_in_the_failure() -> anyhow::Result<()> {
    let history = edited::history("v0.2.0/VideoTaskLifecycle-VideoLost-6.json")?;
    let path = path(&history);
    for step in [
        "request with resumed",
        "search attribute SeedanceOutcome",
        "ended VideoLost",
        "reason query_window_closed",
    ] {
        assert!(path.iter().any(|it| it == step), "no {step:?} in {path:?}");
    }
    Ok(())
}
