//! Archives a video, and reads from the history how its transfer went.

use std::time::{Duration, SystemTime};

use anyhow::{Context, ensure};
use futures::{StreamExt, TryStreamExt, stream};
use seedance_archiver::lifecycles;
use seedance_archiver_proto::{
    names::{self, ARCHIVE_ACTIVITY_ID},
    outcome,
    v1::VideoTaskLifecycleRequest,
};
use temporalio_client::Client;
use temporalio_common::protos::temporal::api::history::v1::{
    HistoryEvent, history_event::Attributes,
};

use crate::history::{self, time_of};

/// The transfer of a video: the activity `ArchiveVideo`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Archival {
    pub(super) started_at: SystemTime,
    pub(super) completed_at: SystemTime,
    /// Identity of the worker.
    pub(super) identity: String,
}

impl Archival {
    pub(super) fn seconds(&self) -> f64 {
        since(self.started_at, self.completed_at).as_secs_f64()
    }
}

/// Returns the time from one to another, zero if the second is earlier.
pub(super) fn since(start: SystemTime, end: SystemTime) -> Duration {
    end.duration_since(start).unwrap_or_default()
}

/// Archives tasks at the same time. Returns their transfers in the order of the tasks.
pub(super) async fn archive_all(
    client: &Client,
    task_queue: &str,
    tasks: &[String],
) -> anyhow::Result<Vec<Archival>> {
    let archivals = stream::iter(tasks).map(|task_id| archive(client, task_queue, task_id));
    archivals.buffered(tasks.len().max(1)).try_collect().await
}

/// Archives a task.
pub(super) async fn archive(
    client: &Client,
    task_queue: &str,
    task_id: &str,
) -> anyhow::Result<Archival> {
    let request = VideoTaskLifecycleRequest {
        task_id: task_id.to_owned(),
        ..VideoTaskLifecycleRequest::default()
    };
    let lifecycle = lifecycles::start(client, task_queue, request).await?;
    let result = lifecycle.result().await?;
    ensure!(
        result.outcome == outcome::ARCHIVED,
        "the video was not archived: {} {}: {}",
        result.outcome,
        result.reason,
        result.message
    );
    let workflow_id = names::lifecycle_workflow_id("", task_id);
    let events = history::events(client, &workflow_id, None).await?;
    of_events(&events)
}

fn of_events(events: &[HistoryEvent]) -> anyhow::Result<Archival> {
    let attributes = |event: &HistoryEvent| event.attributes.clone();
    let scheduled = events.iter().find(|event| match attributes(event) {
        Some(Attributes::ActivityTaskScheduledEventAttributes(it)) => {
            it.activity_id == ARCHIVE_ACTIVITY_ID
        }
        _ => false,
    });
    let scheduled = scheduled.context("the history has no transfer")?.event_id;
    let started = events.iter().find_map(|event| match attributes(event) {
        Some(Attributes::ActivityTaskStartedEventAttributes(it)) => {
            (it.scheduled_event_id == scheduled).then_some((event, it))
        }
        _ => None,
    });
    let (started, start) = started.context("the transfer did not start")?;
    ensure!(
        start.attempt == 1,
        "the transfer took {} attempts: {}",
        start.attempt,
        start.last_failure.unwrap_or_default().message
    );
    let completed = events.iter().find(|event| match attributes(event) {
        Some(Attributes::ActivityTaskCompletedEventAttributes(it)) => {
            it.scheduled_event_id == scheduled
        }
        _ => false,
    });
    let completed = completed.context("the transfer did not complete")?;
    Ok(Archival {
        started_at: time_of(started).context("an event has no time")?,
        completed_at: time_of(completed).context("an event has no time")?,
        identity: start.identity,
    })
}

#[cfg(test)]
mod tests {
    use temporalio_common::protos::temporal::api::history::v1::{
        ActivityTaskCompletedEventAttributes, ActivityTaskScheduledEventAttributes,
        ActivityTaskStartedEventAttributes,
    };

    use super::*;

    fn history(attempt: i32) -> Vec<HistoryEvent> {
        let scheduled = |activity_id: &str| {
            Attributes::ActivityTaskScheduledEventAttributes(ActivityTaskScheduledEventAttributes {
                activity_id: activity_id.into(),
                ..Default::default()
            })
        };
        let started = |scheduled_event_id, attempt, identity: &str| {
            Attributes::ActivityTaskStartedEventAttributes(ActivityTaskStartedEventAttributes {
                scheduled_event_id,
                attempt,
                identity: identity.into(),
                ..Default::default()
            })
        };
        let completed = |scheduled_event_id| {
            Attributes::ActivityTaskCompletedEventAttributes(ActivityTaskCompletedEventAttributes {
                scheduled_event_id,
                ..Default::default()
            })
        };
        let events = [
            scheduled("query"),
            started(1, 9, "a"),
            completed(1),
            scheduled(ARCHIVE_ACTIVITY_ID),
            started(4, attempt, "b"),
            completed(4),
        ];
        let events = events.into_iter().zip(1..).map(|(attributes, event_id)| {
            let at = SystemTime::UNIX_EPOCH + Duration::from_secs(event_id as u64);
            HistoryEvent {
                event_id,
                event_time: Some(at.into()),
                attributes: Some(attributes),
                ..HistoryEvent::default()
            }
        });
        events.collect()
    }

    #[test]
    fn a_transfer_takes_from_its_start_to_its_completion() {
        let archival = of_events(&history(1)).unwrap();
        assert_eq!(archival.seconds(), 1.0);
        assert_eq!(archival.identity, "b");
    }

    #[test]
    fn a_transfer_with_several_attempts_is_not_measured() {
        let error = of_events(&history(2)).unwrap_err();
        assert!(error.to_string().contains("2 attempts"), "{error}");
        let error = of_events(&history(1)[..5]).unwrap_err();
        assert_eq!(error.to_string(), "the transfer did not complete");
    }
}
