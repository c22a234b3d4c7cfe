//! The sweeps of the tasks that nobody calls for.

use prost::Message;
use seedance_archiver_proto::{names, v1::SweepVideoTasksResult};
use temporalio_common::protos::temporal::api::{
    common::v1::Payload, history::v1::history_event::Attributes,
};

use crate::chaos::{checker::Run, plan::Account};

pub(super) fn of(runs: &[Run]) -> impl Iterator<Item = &Run> {
    let id = names::sweep_workflow_id(Account::Automatic.name());
    runs.iter()
        .filter(move |run| run.workflow_id.starts_with(&id))
}

/// Returns the result of a sweep, `None` if it did not complete.
pub(super) fn result(run: &Run) -> Option<SweepVideoTasksResult> {
    match run.events.last()?.attributes.as_ref()? {
        Attributes::WorkflowExecutionCompletedEventAttributes(it) => {
            read(it.result.as_ref()?.payloads.first()?)
        }
        _ => None,
    }
}

/// Reads a result in any encoding.
fn read(payload: &Payload) -> Option<SweepVideoTasksResult> {
    match payload.metadata.get("encoding")?.starts_with(b"json/") {
        true => serde_json::from_slice(&payload.data).ok(),
        false => SweepVideoTasksResult::decode(&payload.data[..]).ok(),
    }
}
