//! Who completed the activities of a workflow.

use std::time::SystemTime;

use temporalio_common::protos::temporal::api::history::v1::history_event::Attributes;

use super::Run;
use crate::history::time_of;

/// The completion of an activity.
pub(super) struct Completion<'a> {
    pub(super) activity_id: &'a str,
    /// Identity of the worker.
    pub(super) identity: &'a str,
    pub(super) at: SystemTime,
    /// Whether the activity waited for its next attempt, and somebody else completed it by its id: a watcher or a callback.
    pub(super) is_delivered: bool,
}

/// Returns the completions of the activities of a run.
pub(super) fn of(run: &Run) -> Vec<Completion<'_>> {
    let completions = run.events.iter().filter_map(|event| {
        let Attributes::ActivityTaskCompletedEventAttributes(completed) =
            event.attributes.as_ref()?
        else {
            return None;
        };
        Some(Completion {
            activity_id: activity_id(run, completed.scheduled_event_id)?,
            identity: &completed.identity,
            at: time_of(event)?,
            is_delivered: is_without_attempt(run, completed.started_event_id),
        })
    });
    completions.collect()
}

fn attributes(run: &Run, event_id: i64) -> Option<&Attributes> {
    let event = run.events.iter().find(|event| event.event_id == event_id);
    event?.attributes.as_ref()
}

fn activity_id(run: &Run, scheduled_event_id: i64) -> Option<&str> {
    match attributes(run, scheduled_event_id)? {
        Attributes::ActivityTaskScheduledEventAttributes(it) => Some(&it.activity_id),
        _ => None,
    }
}

/// Returns whether no worker had started the activity. Temporal then adds a start that nobody requested.
fn is_without_attempt(run: &Run, started_event_id: i64) -> bool {
    match attributes(run, started_event_id) {
        Some(Attributes::ActivityTaskStartedEventAttributes(it)) => it.request_id.is_empty(),
        _ => false,
    }
}

#[cfg(test)]
pub(super) mod testing {
    use temporalio_common::protos::temporal::api::history::v1::{
        ActivityTaskCompletedEventAttributes, ActivityTaskScheduledEventAttributes,
        ActivityTaskStartedEventAttributes, HistoryEvent,
    };

    use super::*;

    /// Returns a run with an activity that a process completed at a time, in an attempt with this request id.
    pub(in crate::chaos::checker) fn run(
        workflow_id: &str,
        activity_id: &str,
        request_id: &str,
        pid: u32,
        at: SystemTime,
    ) -> Run {
        let scheduled = ActivityTaskScheduledEventAttributes {
            activity_id: activity_id.into(),
            ..Default::default()
        };
        let started = ActivityTaskStartedEventAttributes {
            scheduled_event_id: 1,
            request_id: request_id.into(),
            ..Default::default()
        };
        let completed = ActivityTaskCompletedEventAttributes {
            scheduled_event_id: 1,
            started_event_id: 2,
            identity: format!("{pid}@host"),
            ..Default::default()
        };
        let attributes = [
            Attributes::ActivityTaskScheduledEventAttributes(scheduled),
            Attributes::ActivityTaskStartedEventAttributes(started),
            Attributes::ActivityTaskCompletedEventAttributes(completed),
        ];
        let events = attributes.into_iter().zip(1..);
        let events = events.map(|(attributes, event_id)| HistoryEvent {
            event_id,
            event_time: Some(at.into()),
            attributes: Some(attributes),
            ..HistoryEvent::default()
        });
        Run {
            workflow_id: workflow_id.to_owned(),
            events: events.collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_activity_was_delivered_if_its_start_was_not_requested() {
        for (request_id, expected) in [("", true), ("8f14e45f", false)] {
            let run = testing::run("w", "query", request_id, 7, SystemTime::UNIX_EPOCH);
            let completions = of(&run);
            let [completion] = completions.as_slice() else {
                panic!("{} completions", completions.len());
            };
            assert_eq!(completion.is_delivered, expected, "{request_id}");
            assert_eq!(completion.activity_id, "query");
            assert_eq!(completion.identity, "7@host");
        }
    }
}
