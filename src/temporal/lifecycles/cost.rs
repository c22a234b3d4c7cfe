//! What a lifecycle took.

use seedance_archiver_proto::names;
use temporalio_common::protos::temporal::api::history::v1::{
    HistoryEvent, history_event::Attributes,
};

use super::{Lifecycle, LifecycleError};

/// What a lifecycle took.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cost {
    /// Questions asked of the API.
    pub polls: u64,
    /// Events in the workflow's history.
    pub history_events: u64,
}

impl Lifecycle {
    /// What it has taken so far, counted from its history.
    ///
    /// # Errors
    ///
    /// Where it is not there, or Temporal cannot be reached.
    pub async fn cost(&self) -> Result<Cost, LifecycleError> {
        let events = self.history().await?;
        Ok(Cost {
            polls: polls(&events),
            history_events: events.len() as u64,
        })
    }
}

/// Each attempt at the question asks once, and only the last one is in the history, with its number.
fn polls(events: &[HistoryEvent]) -> u64 {
    let is_question = |id: i64| {
        events.iter().any(|event| match &event.attributes {
            Some(Attributes::ActivityTaskScheduledEventAttributes(scheduled)) => {
                event.event_id == id && scheduled.activity_id == names::QUERY_ACTIVITY_ID
            }
            _ => false,
        })
    };
    events
        .iter()
        .filter_map(|event| match &event.attributes {
            Some(Attributes::ActivityTaskStartedEventAttributes(started))
                if is_question(started.scheduled_event_id) =>
            {
                Some(u64::from(started.attempt.unsigned_abs()))
            }
            _ => None,
        })
        .sum()
}
