//! What a lifecycle shows while it runs, and its history.

use anyhow::Context;
use seedance_archiver::temporal::lifecycles::{Lifecycle, Step};
use temporalio_client::WorkflowFetchHistoryOptions;

use super::temporal_server::Server;
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

/// Returns the encoded history events as text. Payloads are not compressed, so strings in them can be found.
pub(crate) async fn encoded_history(server: &Server, task_id: &str) -> anyhow::Result<String> {
    let events = server
        .lifecycle(task_id)
        .fetch_history(WorkflowFetchHistoryOptions::default())
        .into_events()
        .await?;
    Ok(events
        .iter()
        .flat_map(|event| {
            let mut bytes = Vec::new();
            prost::Message::encode(event, &mut bytes).map(|()| bytes)
        })
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .collect())
}
