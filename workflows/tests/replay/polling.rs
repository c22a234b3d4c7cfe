//! Lifecycles that are nudged while they poll.

use anyhow::bail;
use temporalio_protos::temporal::api::history::v1::{
    ActivityTaskCanceledEventAttributes, ActivityTaskFailedEventAttributes,
    ActivityTaskStartedEventAttributes, WorkflowExecutionCancelRequestedEventAttributes,
    WorkflowExecutionSignaledEventAttributes, history_event::Attributes,
};

use crate::{
    command::{Command, activities},
    continued::Continued,
};

/// A lifecycle whose poll was cancelled by a nudge, and the number of events until then.
const NUDGED: (usize, &str) = (10, "v0.2.0/VideoTaskLifecycle-archived-4.json");
/// The event that scheduled the poll.
const POLL: i64 = 5;

#[tokio::test]
async fn a_poll_that_ends_with_a_verdict_after_a_nudge_is_not_repeated() -> anyhow::Result<()> {
    let recorded = Continued::first(22, "v0.2.0/VideoTaskLifecycle-VideoLost-7.json").await?;
    let Some(Attributes::ActivityTaskFailedEventAttributes(lost)) = recorded.last() else {
        bail!("the last event is not a failed activity");
    };
    let started = ActivityTaskStartedEventAttributes {
        scheduled_event_id: POLL,
        ..ActivityTaskStartedEventAttributes::default()
    };
    let failed = ActivityTaskFailedEventAttributes {
        scheduled_event_id: POLL,
        started_event_id: 11,
        ..lost.clone()
    };
    let nudged = Continued::first(NUDGED.0, NUDGED.1).await?;
    let history = nudged.with(started).with(failed).with_task();
    let commands = history.replay().await?;
    assert_eq!(activities(&commands), ["QueryVideoTask", "RecordOutcome"]);
    Ok(())
}

#[tokio::test]
async fn a_lifecycle_that_is_cancelled_after_a_nudge_does_not_poll_again() -> anyhow::Result<()> {
    let cancelled = WorkflowExecutionCancelRequestedEventAttributes::default();
    let poll_cancelled = ActivityTaskCanceledEventAttributes {
        scheduled_event_id: POLL,
        latest_cancel_requested_event_id: 10,
        ..ActivityTaskCanceledEventAttributes::default()
    };
    let nudged = Continued::first(NUDGED.0, NUDGED.1).await?;
    let history = nudged.with(cancelled).with(poll_cancelled).with_task();
    let commands = history.replay().await?;
    assert_eq!(activities(&commands), ["QueryVideoTask"]);
    let is_completed = matches!(commands.last(), Some(Command::Complete(_)));
    assert!(is_completed, "{commands:?}");
    Ok(())
}

#[tokio::test]
async fn a_history_with_too_many_events_is_continued_as_new() -> anyhow::Result<()> {
    for (length, is_continued) in [(2_000, false), (2_001, true)] {
        let mut history =
            Continued::first(1, "v0.2.0/VideoTaskLifecycle-terminated-2.json").await?;
        // The others are the start, and that the workflow task was scheduled and started.
        for _ in 0..length - 3 {
            history = history.with(WorkflowExecutionSignaledEventAttributes {
                signal_name: "nudge".to_owned(),
                ..WorkflowExecutionSignaledEventAttributes::default()
            });
        }
        let commands = history.with_task().replay().await?;
        let continued = matches!(commands[..], [Command::ContinueAsNew(_)]);
        assert_eq!(continued, is_continued, "{length}: {commands:?}");
    }
    Ok(())
}
