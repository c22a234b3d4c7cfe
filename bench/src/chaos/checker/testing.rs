//! What the tests of several checks need.

use std::{
    path::PathBuf,
    time::{Duration, SystemTime},
};

use temporalio_common::protos::temporal::api::{
    common::v1::{Payload, Payloads},
    history::v1::{
        HistoryEvent, WorkflowExecutionCompletedEventAttributes, history_event::Attributes,
    },
};

use super::Run;
use crate::chaos::parts::Incarnation;

/// Returns one payload.
pub(super) fn payloads(encoding: &str, data: impl Into<Vec<u8>>) -> Option<Payloads> {
    let payload = Payload {
        metadata: [("encoding".to_owned(), encoding.as_bytes().to_vec())].into(),
        data: data.into(),
        ..Payload::default()
    };
    Some(Payloads {
        payloads: vec![payload],
    })
}

/// Returns the last event of a workflow that returned a result.
pub(super) fn completed(encoding: &str, result: impl Into<Vec<u8>>) -> Attributes {
    Attributes::WorkflowExecutionCompletedEventAttributes(
        WorkflowExecutionCompletedEventAttributes {
            result: payloads(encoding, result),
            ..Default::default()
        },
    )
}

/// Returns a run with one event: it returned a result.
pub(super) fn completed_run(
    workflow_id: String,
    encoding: &str,
    result: impl Into<Vec<u8>>,
) -> Run {
    Run {
        workflow_id,
        events: vec![HistoryEvent {
            attributes: Some(completed(encoding, result)),
            ..HistoryEvent::default()
        }],
    }
}

/// Returns a process that started at the epoch, and whose metrics nobody read.
pub(super) fn process(worker: usize, pid: u32) -> Incarnation {
    Incarnation {
        worker,
        pid,
        change: None,
        started_at: SystemTime::UNIX_EPOCH,
        log: PathBuf::new(),
        counted: None,
    }
}

/// Returns a process that had counted so many lifecycles of the called tasks with an outcome, 100 s after it started.
pub(super) fn process_with_count(pid: u32, outcome: &str, count: u64) -> Incarnation {
    let key = ("called".to_owned(), outcome.to_owned());
    let process = process(0, pid);
    let read_at = process.started_at + Duration::from_secs(100);
    Incarnation {
        counted: Some((read_at, [(key, count)].into())),
        ..process
    }
}
