//! What the histories of workflows say.

use std::time::{Duration, SystemTime};

use futures::{StreamExt, stream};
use seedance_archiver_proto::names::QUERY_ACTIVITY_ID;
use temporalio_client::Client;
use temporalio_common::protos::temporal::api::history::v1::{
    HistoryEvent, history_event::Attributes,
};

use super::{
    actions::{self, Actions},
    load::Task,
    system::System,
};
use crate::history::{closes_workflow, events, time_of};

/// Histories that are read at the same time.
const CONCURRENCY: usize = 8;
/// How long to wait before the histories of open workflows are read again.
const PAUSE: Duration = Duration::from_secs(3);

/// What the history of a closed workflow says.
#[derive(Clone, Debug)]
pub(super) struct Facts {
    pub(super) events: u64,
    pub(super) actions: Actions,
    /// When the task ended.
    pub(super) ended_at: SystemTime,
    /// From the end of the task until the workflow knew of it, in seconds.
    pub(super) lag: f64,
    /// Whether the workflow completed, and did not fail.
    pub(super) is_completed: bool,
}

/// Reads the histories of the workflows of these tasks, once they have closed. Those that are open after `patience` are left
/// out.
pub(super) async fn read(
    client: &Client,
    system: System,
    mut tasks: Vec<Task>,
    patience: Duration,
) -> anyhow::Result<Vec<Facts>> {
    let end = tokio::time::Instant::now() + patience;
    let mut facts = Vec::new();
    loop {
        let read = stream::iter(tasks)
            .map(async |task| (facts_of(client, system, &task).await, task))
            .buffer_unordered(CONCURRENCY)
            .collect::<Vec<_>>();
        tasks = Vec::new();
        for (result, task) in read.await {
            match result? {
                Some(it) => facts.push(it),
                None => tasks.push(task),
            }
        }
        if tasks.is_empty() || tokio::time::Instant::now() > end {
            return Ok(facts);
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn facts_of(client: &Client, system: System, task: &Task) -> anyhow::Result<Option<Facts>> {
    let events = events(client, &task.workflow_id, None).await?;
    let Some(last) = events.last().filter(|event| closes_workflow(event)) else {
        return Ok(None);
    };
    let learned = match system {
        System::Archiver(_) => last_query(&events).unwrap_or(last),
        System::Loop(_) => last,
    };
    let Some(learned_at) = time_of(learned) else {
        return Ok(None);
    };
    Ok(Some(Facts {
        events: events.len() as u64,
        actions: actions::count(&events, |_| true),
        ended_at: task.ends_at,
        is_completed: matches!(
            &last.attributes,
            Some(Attributes::WorkflowExecutionCompletedEventAttributes(_))
        ),
        lag: match learned_at.duration_since(task.ends_at) {
            Ok(lag) => lag.as_secs_f64(),
            Err(error) => -error.duration().as_secs_f64(),
        },
    }))
}

/// Returns the completion of the last query activity: the one that saw the task finished.
fn last_query(events: &[HistoryEvent]) -> Option<&HistoryEvent> {
    let is_query = |event_id: i64| {
        events.iter().any(|event| match &event.attributes {
            Some(Attributes::ActivityTaskScheduledEventAttributes(scheduled)) => {
                event.event_id == event_id && scheduled.activity_id == QUERY_ACTIVITY_ID
            }
            _ => false,
        })
    };
    events.iter().rev().find(|event| match &event.attributes {
        Some(Attributes::ActivityTaskCompletedEventAttributes(completed)) => {
            is_query(completed.scheduled_event_id)
        }
        _ => false,
    })
}
