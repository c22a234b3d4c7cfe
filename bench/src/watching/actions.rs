//! Counts Temporal actions in histories.
//!
//! What Temporal Cloud bills: <https://docs.temporal.io/cloud/actions>. Heartbeats are not in histories.

use std::collections::BTreeMap;

use temporalio_common::protos::temporal::api::history::v1::{
    ActivityTaskStartedEventAttributes, HistoryEvent, history_event::Attributes,
};

/// Actions by what caused them: a name below, or the type of an activity, of which each attempt is one.
pub(super) type Actions = BTreeMap<String, u64>;

/// Counts the actions of the events of a workflow for which `is_counted` returns true.
pub(super) fn count(
    events: &[HistoryEvent],
    is_counted: impl Fn(&HistoryEvent) -> bool,
) -> Actions {
    let mut actions = Actions::new();
    for event in events.iter().filter(|event| is_counted(event)) {
        if let Some((name, count)) = of_event(event, events) {
            *actions.entry(name).or_default() += count;
        }
    }
    actions
}

fn of_event(event: &HistoryEvent, events: &[HistoryEvent]) -> Option<(String, u64)> {
    let name = match event.attributes.as_ref()? {
        Attributes::ActivityTaskStartedEventAttributes(started) => {
            let name = activity_type(events, started.scheduled_event_id);
            return Some((name, attempts(started)));
        }
        Attributes::WorkflowExecutionStartedEventAttributes(_) => "start",
        Attributes::TimerStartedEventAttributes(_) => "timer",
        Attributes::WorkflowExecutionSignaledEventAttributes(_)
        | Attributes::SignalExternalWorkflowExecutionInitiatedEventAttributes(_) => "signal",
        Attributes::StartChildWorkflowExecutionInitiatedEventAttributes(_) => "child workflow",
        Attributes::WorkflowExecutionUpdateAcceptedEventAttributes(_) => "update",
        Attributes::UpsertWorkflowSearchAttributesEventAttributes(_) => "search attributes",
        _ => return None,
    };
    Some((name.to_owned(), 1))
}

/// Returns the number of attempts of an activity: retries are not in the history, the event is that of the last attempt.
fn attempts(started: &ActivityTaskStartedEventAttributes) -> u64 {
    let attempts = u64::from(started.attempt.unsigned_abs());
    // The server makes up the start of an activity that is completed by its id while it waits for its next attempt. That
    // attempt never starts.
    match started.request_id.is_empty() {
        true => attempts.saturating_sub(1).max(1),
        false => attempts,
    }
}

fn activity_type(events: &[HistoryEvent], scheduled_event_id: i64) -> String {
    let scheduled = events.iter().find(|it| it.event_id == scheduled_event_id);
    match scheduled.and_then(|event| event.attributes.as_ref()) {
        Some(Attributes::ActivityTaskScheduledEventAttributes(scheduled)) => {
            let name = scheduled.activity_type.as_ref().map(|it| it.name.clone());
            name.unwrap_or_default()
        }
        _ => "activity".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use temporalio_common::protos::temporal::api::{
        common::v1::ActivityType,
        history::v1::{
            ActivityTaskScheduledEventAttributes, TimerStartedEventAttributes,
            WorkflowTaskStartedEventAttributes,
        },
    };

    use super::*;

    #[test]
    fn each_attempt_is_an_action_and_workflow_tasks_are_none() {
        let scheduled = ActivityTaskScheduledEventAttributes {
            activity_type: Some(ActivityType {
                name: "Query".into(),
            }),
            ..Default::default()
        };
        let started = ActivityTaskStartedEventAttributes {
            scheduled_event_id: 1,
            attempt: 7,
            request_id: "request".into(),
            ..Default::default()
        };
        let events = [
            Attributes::ActivityTaskScheduledEventAttributes(scheduled),
            Attributes::ActivityTaskStartedEventAttributes(started),
            Attributes::TimerStartedEventAttributes(TimerStartedEventAttributes::default()),
            Attributes::WorkflowTaskStartedEventAttributes(
                WorkflowTaskStartedEventAttributes::default(),
            ),
        ];
        let events = events.into_iter().zip(1..).map(|(attributes, event_id)| {
            let attributes = Some(attributes);
            HistoryEvent {
                event_id,
                attributes,
                ..HistoryEvent::default()
            }
        });
        let events: Vec<_> = events.collect();
        let counted = count(&events, |_| true);
        let expected = [("Query".to_owned(), 7), ("timer".to_owned(), 1)];
        assert_eq!(counted, Actions::from(expected));
    }

    #[test]
    fn an_attempt_that_never_started_is_no_action() {
        let completed_by_id = |attempt| ActivityTaskStartedEventAttributes {
            attempt,
            ..Default::default()
        };
        assert_eq!(attempts(&completed_by_id(3)), 2);
        assert_eq!(attempts(&completed_by_id(1)), 1, "it was scheduled");
    }
}
