//! The number of attempts that an archive took.

use std::ops::RangeInclusive;

use anyhow::ensure;
use seedance_archiver_proto::{names, v1::Manifest};
use seedance_archiver_workflows::VideoTaskLifecycle;
use temporalio_client::WorkflowFetchHistoryOptions;
use temporalio_common::protos::temporal::api::{
    failure::v1::failure::FailureInfo,
    history::v1::{HistoryEvent, history_event::Attributes},
};

use super::temporal_server::Server;

/// Asserts that an archive took this number of attempts. More are accepted if the last one follows an attempt that timed
/// out: on a busy machine, its heartbeats may be too late.
pub(crate) async fn ensure_attempts(
    server: &Server,
    manifest: &Manifest,
    expected: RangeInclusive<i64>,
) -> anyhow::Result<()> {
    if expected.contains(&manifest.attempts) {
        return Ok(());
    }
    let id = names::lifecycle_workflow_id("", &manifest.task_id);
    let lifecycle = server.client.get_workflow_handle::<VideoTaskLifecycle>(id);
    let history = lifecycle.fetch_history(WorkflowFetchHistoryOptions::default());
    let events = history.into_events().await?;
    ensure!(
        manifest.attempts > *expected.end() && events.iter().any(follows_a_timeout),
        "{manifest:?}"
    );
    Ok(())
}

/// Returns whether the event is the start of an attempt after one that timed out.
fn follows_a_timeout(event: &HistoryEvent) -> bool {
    matches!(
        last_failure(event),
        Some(FailureInfo::TimeoutFailureInfo(_))
    )
}

/// Returns how the attempt before failed, if the event is the start of an attempt.
pub(crate) fn last_failure(event: &HistoryEvent) -> Option<&FailureInfo> {
    match &event.attributes {
        Some(Attributes::ActivityTaskStartedEventAttributes(started)) => {
            started.last_failure.as_ref()?.failure_info.as_ref()
        }
        _ => None,
    }
}
