//! What a lifecycle shows while it runs, and its history.

use std::collections::BTreeSet;

use anyhow::Context;
use seedance_archiver::temporal::lifecycles::{Lifecycle, Step};
use seedance_archiver_proto::names;
use seedance_archiver_workflows::VideoTaskLifecycle;
use temporalio_client::WorkflowFetchHistoryOptions;
use temporalio_common::protos::temporal::api::{enums::v1::EventType, history::v1::HistoryEvent};

use super::{history::ensure_at_most, temporal_server::Server};
use crate::until::until_async;

/// Waits until the pending activity of a lifecycle waits for its next attempt with a message that contains `text`.
pub(crate) async fn until_waiting(lifecycle: &Lifecycle, text: &str) -> anyhow::Result<()> {
    until_async(text, || async {
        let snapshot = lifecycle.describe().await?;
        let step = snapshot.and_then(|snapshot| snapshot.step());
        Ok(matches!(step, Some(Step::Waiting(message)) if message.contains(text)))
    })
    .await
}

/// Waits until a lifecycle knows that its task is running.
pub(crate) async fn until_running(lifecycle: &Lifecycle) -> anyhow::Result<()> {
    until_async("the lifecycle knows that the task is running", || async {
        let snapshot = lifecycle.describe().await?.context("no lifecycle")?;
        Ok(snapshot.search_attributes.get("SeedanceStatus") == "running")
    })
    .await
}

/// Maximum number of history events of a lifecycle that archives its video.
const MAX_EVENTS: usize = 26;

/// Asserts that the history of a lifecycle is short.
pub(crate) async fn ensure_short_history(
    server: &Server,
    lifecycle: &Lifecycle,
) -> anyhow::Result<()> {
    ensure_at_most(MAX_EVENTS, &history(server, lifecycle.workflow_id()).await?)
}

/// Returns the types of the history events that commands of a lifecycle caused.
pub(crate) async fn command_events(
    server: &Server,
    task_id: &str,
) -> anyhow::Result<BTreeSet<EventType>> {
    let events = history(server, &names::lifecycle_workflow_id("", task_id)).await?;
    let types = events.iter().map(HistoryEvent::event_type);
    let is_of_server = |it: &EventType| {
        matches!(
            it,
            EventType::WorkflowTaskScheduled
                | EventType::WorkflowTaskStarted
                | EventType::WorkflowTaskCompleted
                | EventType::WorkflowTaskTimedOut
                | EventType::WorkflowTaskFailed
        )
    };
    Ok(types.filter(|it| !is_of_server(it)).collect())
}

async fn history(server: &Server, workflow_id: &str) -> anyhow::Result<Vec<HistoryEvent>> {
    let lifecycle = server
        .client
        .get_workflow_handle::<VideoTaskLifecycle>(workflow_id);
    let history = lifecycle.fetch_history(WorkflowFetchHistoryOptions::default());
    Ok(history.into_events().await?)
}

/// Returns the encoded history events as text. Payloads are not compressed, so strings in them can be found.
pub(crate) async fn encoded_history(server: &Server, task_id: &str) -> anyhow::Result<String> {
    let events = history(server, &names::lifecycle_workflow_id("", task_id)).await?;
    Ok(events
        .iter()
        .flat_map(|event| {
            let mut bytes = Vec::new();
            prost::Message::encode(event, &mut bytes).map(|()| bytes)
        })
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .collect())
}
