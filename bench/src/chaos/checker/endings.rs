//! How lifecycles ended, according to their histories.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::SystemTime,
};

use prost::Message;
use seedance_archiver_proto::{names, v1::VideoTaskLifecycleResult};
use serde_json::Value;
use temporalio_common::protos::temporal::api::{
    common::v1::{Payload, Payloads},
    failure::v1::{Failure, failure::FailureInfo},
    history::v1::{HistoryEvent, history_event::Attributes},
};

use super::{Run, identities};
use crate::{
    chaos::world::Task,
    history::{continues_as_new, time_of},
};

/// How one run of a lifecycle, or of a workflow that returns its result, ended.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum End {
    /// With a result.
    Result { outcome: String, reason: String },
    /// With a failure other than `VideoLost`.
    Failed(String),
    /// It is still running.
    Open,
}

/// The last activity of a lifecycle, by which its end is counted.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct LastActivity {
    /// `archive`, `record` or `record-again`.
    pub(super) id: String,
    pub(super) scheduled_at: SystemTime,
    pub(super) attempt: i32,
    /// Identity of the worker that completed it.
    pub(super) identity: String,
    pub(super) completed_at: SystemTime,
}

/// A run of a lifecycle.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Ending {
    pub(super) task_id: String,
    pub(super) account: &'static str,
    pub(super) end: End,
    pub(super) last_activity: Option<LastActivity>,
    /// Whether a process of another version took part.
    pub(super) had_other_version: bool,
}

impl Ending {
    /// Returns the account and the outcome by which the end is counted.
    pub(super) fn labels(&self) -> (String, String) {
        let outcome = match &self.end {
            End::Result { outcome, .. } => outcome.clone(),
            _ => String::new(),
        };
        (self.account.to_owned(), outcome)
    }
}

/// The runs of lifecycles by task, oldest first.
pub(super) type Endings = BTreeMap<String, Vec<Ending>>;

/// Returns the runs of the lifecycles of tasks. `other_version`: the processes of another version.
pub(super) fn of_tasks(tasks: &[Task], runs: &[Run], other_version: &BTreeSet<u32>) -> Endings {
    let of_task = |task: &Task| {
        let account = task.video.account().name();
        let id = names::lifecycle_workflow_id(account, &task.id);
        let mut runs: Vec<_> = runs.iter().filter(|run| run.workflow_id == id).collect();
        runs.sort_by_key(|run| run.events.first().and_then(time_of));
        let is_last = |run: &&&Run| !run.events.last().is_some_and(continues_as_new);
        let endings = runs.iter().filter(is_last).map(|run| Ending {
            task_id: task.id.clone(),
            account,
            end: end(&run.events),
            last_activity: last_activity(&run.events),
            had_other_version: !identities::pids(&run.events).is_disjoint(other_version),
        });
        (task.id.clone(), endings.collect())
    };
    tasks.iter().map(of_task).collect()
}

/// Returns how a run of a workflow ended that returns the result of a lifecycle.
pub(super) fn end(events: &[HistoryEvent]) -> End {
    match events.last().and_then(|event| event.attributes.as_ref()) {
        Some(Attributes::WorkflowExecutionCompletedEventAttributes(it)) => {
            result(it.result.as_ref()).unwrap_or_else(|| End::Failed("unreadable result".into()))
        }
        Some(Attributes::WorkflowExecutionFailedEventAttributes(it)) => failed(it.failure.as_ref()),
        Some(Attributes::WorkflowExecutionTerminatedEventAttributes(_)) => {
            End::Failed("terminated".into())
        }
        Some(Attributes::WorkflowExecutionTimedOutEventAttributes(_)) => {
            End::Failed("timed out".into())
        }
        Some(Attributes::WorkflowExecutionCanceledEventAttributes(_)) => {
            End::Failed("cancelled".into())
        }
        _ => End::Open,
    }
}

fn result(payloads: Option<&Payloads>) -> Option<End> {
    let (outcome, reason) = outcome_and_reason(payloads?.payloads.first()?)?;
    Some(End::Result { outcome, reason })
}

fn failed(failure: Option<&Failure>) -> End {
    let Some(failure) = failure else {
        return End::Failed(String::new());
    };
    if let Some(FailureInfo::ApplicationFailureInfo(info)) = &failure.failure_info {
        let is_lost = info.r#type == names::failure::VIDEO_LOST;
        return match result(info.details.as_ref()).filter(|_| is_lost) {
            Some(end) => end,
            None => End::Failed(format!("{}: {}", info.r#type, failure.message)),
        };
    }
    End::Failed(failure.message.clone())
}

/// Reads a result in any encoding.
fn outcome_and_reason(payload: &Payload) -> Option<(String, String)> {
    let encoding = payload.metadata.get("encoding")?;
    if encoding.starts_with(b"json/") {
        let value: Value = serde_json::from_slice(&payload.data).ok()?;
        let text = |name: &str| value[name].as_str().unwrap_or_default().to_owned();
        return Some((text("outcome"), text("reason")));
    }
    let result = VideoTaskLifecycleResult::decode(&payload.data[..]).ok()?;
    Some((result.outcome, result.reason))
}

/// Returns the last activity that completed, if it is one by which an end is counted.
fn last_activity(events: &[HistoryEvent]) -> Option<LastActivity> {
    let (completed, scheduled_id) =
        events
            .iter()
            .rev()
            .find_map(|event| match event.attributes.as_ref()? {
                Attributes::ActivityTaskCompletedEventAttributes(it) => {
                    Some((event, it.scheduled_event_id))
                }
                _ => None,
            })?;
    let (scheduled, id) = events
        .iter()
        .find_map(|event| match event.attributes.as_ref()? {
            Attributes::ActivityTaskScheduledEventAttributes(it)
                if event.event_id == scheduled_id =>
            {
                Some((event, it.activity_id.clone()))
            }
            _ => None,
        })?;
    let (attempt, identity) =
        events
            .iter()
            .find_map(|event| match event.attributes.as_ref()? {
                Attributes::ActivityTaskStartedEventAttributes(it)
                    if it.scheduled_event_id == scheduled_id =>
                {
                    Some((it.attempt, it.identity.clone()))
                }
                _ => None,
            })?;
    let counting = [
        names::ARCHIVE_ACTIVITY_ID,
        names::RECORD_ACTIVITY_ID,
        names::RECORD_AGAIN_ACTIVITY_ID,
    ];
    let counts = counting.contains(&id.as_str());
    counts.then_some(LastActivity {
        id,
        scheduled_at: time_of(scheduled)?,
        attempt,
        identity,
        completed_at: time_of(completed)?,
    })
}

#[cfg(test)]
mod tests {
    use temporalio_common::protos::temporal::api::{
        failure::v1::ApplicationFailureInfo,
        history::v1::{
            WorkflowExecutionFailedEventAttributes, WorkflowExecutionTimedOutEventAttributes,
        },
    };

    use super::*;
    use crate::chaos::checker::testing::{completed, payloads};

    fn lost() -> VideoTaskLifecycleResult {
        VideoTaskLifecycleResult {
            outcome: "lost".into(),
            reason: "url_expired".into(),
            ..VideoTaskLifecycleResult::default()
        }
    }

    fn end_with(attributes: Attributes) -> End {
        end(&[HistoryEvent {
            attributes: Some(attributes),
            ..HistoryEvent::default()
        }])
    }

    #[test]
    fn a_result_is_read_in_every_encoding() {
        let json = br#"{"outcome": "lost", "reason": "url_expired"}"#.to_vec();
        for (encoding, result) in [
            ("json/plain", json.clone()),
            ("json/protobuf", json),
            ("binary/protobuf", lost().encode_to_vec()),
        ] {
            let expected = End::Result {
                outcome: "lost".into(),
                reason: "url_expired".into(),
            };
            assert_eq!(end_with(completed(encoding, result)), expected);
        }
    }

    #[test]
    fn a_failure_counts_as_a_result_only_if_the_video_is_lost() {
        let failure = |name: &str| {
            let info = ApplicationFailureInfo {
                r#type: name.into(),
                details: payloads("binary/protobuf", lost().encode_to_vec()),
                ..Default::default()
            };
            let failure = Failure {
                message: "no".into(),
                failure_info: Some(FailureInfo::ApplicationFailureInfo(info)),
                ..Default::default()
            };
            end_with(Attributes::WorkflowExecutionFailedEventAttributes(
                WorkflowExecutionFailedEventAttributes {
                    failure: Some(failure),
                    ..Default::default()
                },
            ))
        };
        assert!(matches!(failure("VideoLost"), End::Result { .. }));
        let other = failure("StoreConflict");
        assert_eq!(other, End::Failed("StoreConflict: no".into()));
        let timed_out = WorkflowExecutionTimedOutEventAttributes::default();
        let timed_out = Attributes::WorkflowExecutionTimedOutEventAttributes(timed_out);
        assert_eq!(end_with(timed_out), End::Failed("timed out".into()));
        assert_eq!(end(&[]), End::Open);
    }
}
