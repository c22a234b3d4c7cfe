//! The receipts in the results of lifecycles and of their callers.

use std::collections::BTreeMap;

use prost::Message;
use seedance_archiver_proto::{names, outcome::ARCHIVED, v1::VideoTaskLifecycleResult};
use serde_json::Value;
use temporalio_common::protos::temporal::api::{
    common::v1::Payload,
    history::v1::{HistoryEvent, history_event::Attributes},
};

use super::Run;
use crate::chaos::{callers, world::Task};

/// What a workflow returned for a video that it says is archived.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Returned {
    pub(super) workflow_id: String,
    /// `Null` if there is none.
    receipt: Value,
}

/// The receipts by task.
pub(super) type Receipts = BTreeMap<String, Vec<Returned>>;

/// Returns what the lifecycles and the callers of tasks returned.
pub(super) fn of_tasks(tasks: &[Task], runs: &[Run]) -> Receipts {
    let of_task = |task: &Task| {
        let account = task.video.account().name();
        let ids = [
            names::lifecycle_workflow_id(account, &task.id),
            callers::workflow_id(&task.id),
        ];
        let runs = runs.iter().filter(|run| ids.contains(&run.workflow_id));
        let returned = runs.filter_map(|run| {
            Some(Returned {
                workflow_id: run.workflow_id.clone(),
                receipt: receipt(&run.events)?,
            })
        });
        (task.id.clone(), returned.collect())
    };
    tasks.iter().map(of_task).collect()
}

/// Returns the receipt in the result of a workflow, `Null` if there is none although the result says that the video is
/// archived.
fn receipt(events: &[HistoryEvent]) -> Option<Value> {
    let Attributes::WorkflowExecutionCompletedEventAttributes(completed) =
        events.last()?.attributes.as_ref()?
    else {
        return None;
    };
    let result = read(completed.result.as_ref()?.payloads.first()?)?;
    (result["outcome"] == ARCHIVED).then(|| result["manifest"].clone())
}

/// Reads a result in any encoding.
fn read(payload: &Payload) -> Option<Value> {
    if payload.metadata.get("encoding")?.starts_with(b"json/") {
        return serde_json::from_slice(&payload.data).ok();
    }
    let result = VideoTaskLifecycleResult::decode(&payload.data[..]).ok()?;
    serde_json::to_value(result).ok()
}

impl Returned {
    /// Returns how the receipt differs from the one in the archive. It has fewer fields.
    pub(super) fn problem(&self, stored: &Value) -> Option<String> {
        let id = &self.workflow_id;
        let objects = self.receipt["objects"].as_array();
        if objects.is_none_or(Vec::is_empty) {
            return Some(format!("{id}: no objects in the receipt {}", self.receipt));
        }
        let is_part = is_part(&self.receipt, stored);
        (!is_part).then(|| format!("{id}: {}, and {stored} in the archive", self.receipt))
    }
}

/// Returns whether a value says nothing but what another one says.
fn is_part(part: &Value, whole: &Value) -> bool {
    match (part, whole) {
        (Value::Object(part), Value::Object(whole)) => part
            .iter()
            .all(|(name, part)| whole.get(name).is_some_and(|whole| is_part(part, whole))),
        (Value::Array(part), Value::Array(whole)) => {
            let mut pairs = part.iter().zip(whole);
            part.len() == whole.len() && pairs.all(|(part, whole)| is_part(part, whole))
        }
        _ => part == whole,
    }
}

#[cfg(test)]
mod tests {
    use seedance_archiver_proto::v1::{ArchivedObject, Manifest};
    use serde_json::json;

    use super::*;
    use crate::chaos::{checker::testing::completed_run, plan::Expected};

    const ID: &str = "cgt-1";

    fn manifest() -> Manifest {
        Manifest {
            task_id: ID.into(),
            objects: vec![ArchivedObject {
                name: "video.mp4".into(),
                size_bytes: 7,
                ..ArchivedObject::default()
            }],
            ..Manifest::default()
        }
    }

    fn result(outcome: &str, manifest: Option<Manifest>) -> VideoTaskLifecycleResult {
        VideoTaskLifecycleResult {
            outcome: outcome.into(),
            manifest,
            ..VideoTaskLifecycleResult::default()
        }
    }

    /// Returns what was found in the results of a lifecycle and its caller.
    fn returned(result: &VideoTaskLifecycleResult) -> Vec<Returned> {
        let lifecycle = names::lifecycle_workflow_id("called", ID);
        let json = serde_json::to_vec(result).unwrap();
        let runs = [
            completed_run(lifecycle, "binary/protobuf", result.encode_to_vec()),
            completed_run(callers::workflow_id(ID), "json/plain", json.clone()),
            completed_run(callers::workflow_id("cgt-2"), "json/plain", json),
        ];
        let task = Task::called(ID, Expected::Archived);
        of_tasks(&[task], &runs).remove(ID).unwrap()
    }

    fn count(result: &VideoTaskLifecycleResult, stored: &Value) -> usize {
        let returned = returned(result);
        let problems = returned.iter().filter_map(|it| it.problem(stored));
        problems.count()
    }

    #[test]
    fn a_receipt_that_is_not_the_one_in_the_archive_is_found() {
        let archived = result("archived", Some(manifest()));
        let mut stored = serde_json::to_value(manifest()).unwrap();
        // Callers do not get it.
        stored["service_tier"] = "default".into();
        assert_eq!(returned(&archived).len(), 2);
        assert_eq!(count(&archived, &stored), 0);
        for (name, value) in [
            ("task_id", json!("cgt-2")),
            ("objects", json!([])),
            ("objects", json!([{"name": "video.mp4", "size_bytes": 8}])),
            ("objects", json!([{"name": "video.mp4"}])),
        ] {
            let mut other = stored.clone();
            other[name] = value;
            assert_eq!(count(&archived, &other), 2, "{other}");
        }
        assert_eq!(count(&archived, &Value::Null), 2);
    }

    #[test]
    fn a_receipt_that_is_missing_or_empty_is_found_if_the_video_is_archived() {
        let stored = serde_json::to_value(manifest()).unwrap();
        for (outcome, manifest, expected) in [
            ("archived", None, 2),
            ("archived", Some(Manifest::default()), 2),
            ("lost", None, 0),
        ] {
            let result = result(outcome, manifest);
            assert_eq!(count(&result, &stored), expected, "{outcome}");
        }
    }
}
