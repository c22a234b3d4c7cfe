//! Counts the polls and events of a lifecycle.

use seedance_archiver_proto::names::QUERY_ACTIVITY_ID;
use temporalio_common::protos::temporal::api::history::v1::{
    HistoryEvent, history_event::Attributes,
};

use super::{error::LifecycleError, handle::Lifecycle};

/// The cost of a lifecycle.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cost {
    /// Polls of the task.
    pub polls: u64,
    /// Events in the workflow's history.
    pub history_events: u64,
}

impl Lifecycle {
    /// Returns the cost so far, counted from the history.
    ///
    /// # Errors
    ///
    /// Returns an error if the workflow does not exist, or Temporal is unreachable.
    pub async fn cost(&self) -> Result<Cost, LifecycleError> {
        let events = self.history().await?;
        Ok(Cost {
            polls: polls(&events),
            history_events: events.len() as u64,
        })
    }
}

/// Counts the attempts at query activities: each attempt polls once. The history contains the last attempt
/// only, with its number.
fn polls(events: &[HistoryEvent]) -> u64 {
    let is_query = |event_id: i64| {
        events.iter().any(|event| match &event.attributes {
            Some(Attributes::ActivityTaskScheduledEventAttributes(scheduled)) => {
                event.event_id == event_id && scheduled.activity_id == QUERY_ACTIVITY_ID
            }
            _ => false,
        })
    };
    events
        .iter()
        .filter_map(|event| match &event.attributes {
            Some(Attributes::ActivityTaskStartedEventAttributes(started))
                if is_query(started.scheduled_event_id) =>
            {
                Some(u64::from(started.attempt.unsigned_abs()))
            }
            _ => None,
        })
        .sum()
}
