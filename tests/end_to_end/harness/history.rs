//! The length of histories.

use anyhow::ensure;
use temporalio_common::protos::temporal::api::{
    enums::v1::EventType,
    history::v1::{HistoryEvent, history_event::Attributes},
};

/// Asserts that a history has at most `max` events. Workflow tasks that timed out do not count: on a busy machine, a
/// worker may not complete one in time.
pub(crate) fn ensure_at_most(max: usize, events: &[HistoryEvent]) -> anyhow::Result<()> {
    let timed_out = events.iter().filter_map(|event| match &event.attributes {
        Some(Attributes::WorkflowTaskTimedOutEventAttributes(timed_out)) => Some(timed_out),
        _ => None,
    });
    // The event itself, and those of its start.
    let delays = timed_out.map(|it| if it.started_event_id > 0 { 3 } else { 2 });
    let types = events.iter().map(HistoryEvent::event_type);
    ensure!(
        events.len() - delays.sum::<usize>() <= max,
        "{} events: {:?}",
        events.len(),
        types.collect::<Vec<EventType>>()
    );
    Ok(())
}
