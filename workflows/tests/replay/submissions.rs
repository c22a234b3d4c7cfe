//! Submissions whose answer was lost, and those that are cancelled or invalid.

use anyhow::bail;
use serde_json::{Value, json};
use temporalio_protos::temporal::api::{
    common::v1::{WorkflowExecution, WorkflowType},
    enums::v1::StartChildWorkflowExecutionFailedCause::{
        self, NamespaceNotFound, WorkflowAlreadyExists,
    },
    history::v1::{
        ChildWorkflowExecutionStartedEventAttributes,
        StartChildWorkflowExecutionFailedEventAttributes,
        StartChildWorkflowExecutionInitiatedEventAttributes, TimerFiredEventAttributes,
        WorkflowExecutionCancelRequestedEventAttributes,
    },
};

use crate::{
    command::{Command, activities, json_of, result},
    continued::Continued,
    edited::{self, COMPLETED, STARTED, edit},
};

/// A submission that waits for the answer.
const WAITING: &str = "v0.2.0/VideoTaskSubmission-terminated.json";
/// A submission whose answer was lost, and whose task the list did not show.
const UNANSWERED: &str = "v0.2.0/VideoTaskSubmission-completed-3.json";
/// A submission whose answer named a task that had a lifecycle.
const ANSWERED: &str = "v0.2.0/VideoTaskSubmission-completed-5.json";
/// The lifecycle of the task `cgt-1`.
const LIFECYCLE: (&str, &str) = ("VideoTaskLifecycle", "video-task/default/cgt-1");
/// The claim of the task `cgt-1`.
const CLAIM: (&str, &str) = ("VideoTaskClaim", "video-task-claim/default/cgt-1");

#[tokio::test]
async fn a_cancelled_submission_still_waits_for_the_answer() -> anyhow::Result<()> {
    let cancelled = WorkflowExecutionCancelRequestedEventAttributes::default();
    let waiting = Continued::first(5, WAITING).await?;
    let commands = waiting.with(cancelled).with_task().replay().await?;
    assert!(matches!(commands[..], [Command::Timer(_)]), "{commands:?}");
    Ok(())
}

#[tokio::test]
async fn an_invalid_submission_is_ambiguous() -> anyhow::Result<()> {
    let mut history = edited::history(WAITING)?;
    edit(&mut history, STARTED, "input", |request| {
        request["account"] = json!("../b");
    })?;
    let commands = Continued::first_of(4, &history).await?.replay().await?;
    let result = result(&commands)?;
    assert_eq!(result["submission_ambiguous"], true);
    let message = result["message"].as_str().unwrap_or_default();
    assert!(message.starts_with("`account` may contain"), "{message}");
    Ok(())
}

#[tokio::test]
async fn an_ambiguous_submission_names_the_tasks_that_may_be_its() -> anyhow::Result<()> {
    let mut history = edited::history(UNANSWERED)?;
    edit(&mut history, COMPLETED, "result", |found| {
        *found =
            json!({"message": "the list does not decide it", "candidates": ["cgt-1", "cgt-2"]});
    })?;
    // The wait for a callback ends.
    let fired = TimerFiredEventAttributes {
        timer_id: "2".to_owned(),
        started_event_id: 13,
    };
    let history = Continued::first_of(13, &history).await?;
    let commands = history.with(fired).with_task().replay().await?;
    assert_eq!(
        result(&commands)?,
        json!({
            "submission_id": "9afd295d65d66f01a0b0dfc09f2c461c",
            "submission_ambiguous": true,
            "candidates": ["cgt-1", "cgt-2"],
            "message": "the list does not decide it",
        })
    );
    Ok(())
}

#[tokio::test]
async fn the_lifecycle_of_a_task_from_the_list_has_the_request_of_the_submission()
-> anyhow::Result<()> {
    let mut history = edited::history(UNANSWERED)?;
    edit(&mut history, STARTED, "input", |request| {
        request["destination"] = json!("s3://bucket");
    })?;
    let history = found(history, json!({"task_id": "cgt-1"})).await?;
    let commands = history.replay().await?;
    let Some(Command::Child(child)) = commands.last() else {
        bail!("no child: {commands:?}");
    };
    assert_eq!(child.workflow_id, LIFECYCLE.1);
    assert_eq!(
        json_of(&child.input)?,
        json!({"task_id": "cgt-1", "account": "default", "destination": "s3://bucket"})
    );
    Ok(())
}

#[tokio::test]
async fn a_task_from_the_list_that_has_a_lifecycle_since_is_not_taken() -> anyhow::Result<()> {
    let history = edited::history(UNANSWERED)?;
    let history = found(history, json!({"task_id": "cgt-1"})).await?;
    let history = history.with(initiated(LIFECYCLE));
    let history = history.with(failed(13, WorkflowAlreadyExists)).with_task();
    let commands = history.replay().await?;
    // The search continues.
    assert_eq!(
        activities(&commands),
        ["FindSubmittedTask", "FindSubmittedTask"]
    );
    Ok(())
}

#[tokio::test]
async fn a_task_from_the_list_with_a_lifecycle_is_taken_by_a_claim() -> anyhow::Result<()> {
    let history = edited::history(UNANSWERED)?;
    let of_list = json!({"task_id": "cgt-1", "has_lifecycle": true});
    let history = found(history, of_list).await?;
    let history = history.with(initiated(CLAIM)).with(started(13, CLAIM));
    let result = result(&history.with_task().replay().await?)?;
    assert_eq!(result["task_id"], "cgt-1");
    assert_eq!(result["learned_from"], "list");
    Ok(())
}

#[tokio::test]
async fn a_lifecycle_that_cannot_start_does_not_change_what_the_answer_says() -> anyhow::Result<()>
{
    let history = Continued::first(10, ANSWERED).await?;
    let history = history.with(failed(10, NamespaceNotFound)).with_task();
    let result = result(&history.replay().await?)?;
    assert_eq!(result["learned_from"], "answer");
    Ok(())
}

/// Continues a history after the search for the task returned this.
async fn found(mut history: Value, result: Value) -> anyhow::Result<Continued> {
    edit(&mut history, COMPLETED, "result", |found| *found = result)?;
    Continued::first_of(12, &history).await
}

fn initiated((workflow, id): (&str, &str)) -> StartChildWorkflowExecutionInitiatedEventAttributes {
    StartChildWorkflowExecutionInitiatedEventAttributes {
        workflow_id: id.to_owned(),
        workflow_type: Some(WorkflowType {
            name: workflow.to_owned(),
        }),
        ..StartChildWorkflowExecutionInitiatedEventAttributes::default()
    }
}

fn started(
    initiated_event_id: i64,
    (_, id): (&str, &str),
) -> ChildWorkflowExecutionStartedEventAttributes {
    ChildWorkflowExecutionStartedEventAttributes {
        initiated_event_id,
        workflow_execution: Some(WorkflowExecution {
            workflow_id: id.to_owned(),
            run_id: "run".to_owned(),
        }),
        ..ChildWorkflowExecutionStartedEventAttributes::default()
    }
}

fn failed(
    initiated_event_id: i64,
    cause: StartChildWorkflowExecutionFailedCause,
) -> StartChildWorkflowExecutionFailedEventAttributes {
    StartChildWorkflowExecutionFailedEventAttributes {
        initiated_event_id,
        cause: cause.into(),
        ..StartChildWorkflowExecutionFailedEventAttributes::default()
    }
}
