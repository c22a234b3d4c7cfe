//! Histories that continue in another way than they did when they were recorded.

use serde_json::Value;
use temporalio_client::WorkflowHistory;
use temporalio_protos::temporal::api::history::v1::{
    HistoryEvent, WorkflowTaskCompletedEventAttributes, WorkflowTaskScheduledEventAttributes,
    WorkflowTaskStartedEventAttributes, history_event::Attributes,
};

use crate::{command::Command, edited, replay_events};

/// The start of a recorded history, followed by the events of a test.
///
/// It ends with a completed workflow task, whose commands have no events yet. So the SDK compares them with nothing. The
/// workflow task before must have a command that has an event.
pub(crate) struct Continued {
    events: Vec<HistoryEvent>,
}

impl Continued {
    /// Returns the first events of a history, by its path below `tests/histories`.
    pub(crate) async fn first(count: usize, path: &str) -> anyhow::Result<Self> {
        Self::first_of(count, &edited::history(path)?).await
    }

    /// Returns the first events of a history.
    pub(crate) async fn first_of(count: usize, history: &Value) -> anyhow::Result<Self> {
        let history = WorkflowHistory::from_json(&serde_json::to_vec(history)?)?;
        let mut events = history.into_events().await?;
        events.truncate(count);
        Ok(Self { events })
    }

    /// Adds an event.
    pub(crate) fn with(mut self, attributes: impl Into<Attributes>) -> Self {
        let attributes = attributes.into();
        let event = HistoryEvent {
            event_id: self.last_id() + 1,
            event_time: self.events.last().and_then(|event| event.event_time),
            event_type: attributes.event_type() as i32,
            attributes: Some(attributes),
            ..HistoryEvent::default()
        };
        self.events.push(event);
        self
    }

    /// Adds a workflow task that was completed.
    pub(crate) fn with_task(self) -> Self {
        let history = self.with(WorkflowTaskScheduledEventAttributes::default());
        let scheduled_event_id = history.last_id();
        let history = history.with(WorkflowTaskStartedEventAttributes {
            scheduled_event_id,
            ..WorkflowTaskStartedEventAttributes::default()
        });
        let started_event_id = history.last_id();
        history.with(WorkflowTaskCompletedEventAttributes {
            scheduled_event_id,
            started_event_id,
            ..WorkflowTaskCompletedEventAttributes::default()
        })
    }

    /// Returns what is in the last event.
    pub(crate) fn last(&self) -> Option<&Attributes> {
        self.events.last()?.attributes.as_ref()
    }

    /// Replays the history, and returns the commands that the workflow sends.
    pub(crate) async fn replay(self) -> anyhow::Result<Vec<Command>> {
        replay_events(self.events).await
    }

    /// Returns the id of the last event.
    fn last_id(&self) -> i64 {
        self.events.len() as i64
    }
}
