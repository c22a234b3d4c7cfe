//! The workflows that deliver events.

use anyhow::{Context, ensure};
use futures::TryStreamExt;
use seedance_archiver_proto::{names, v1::DeliverEventResult};
use seedance_archiver_workflows::DeliverEvent;
use temporalio_client::{
    WorkflowCancelOptions, WorkflowDescribeOptions, WorkflowExecutionStatus,
    WorkflowFetchHistoryOptions, WorkflowGetResultOptions, WorkflowHandle, WorkflowListOptions,
    errors::WorkflowGetResultError,
};

use super::temporal_server::Server;
use crate::until::until_async;

/// The delivery of an event about a task of the account `default`.
pub(crate) struct Delivery(WorkflowHandle<temporalio_client::Client, DeliverEvent>);

impl Delivery {
    /// Returns the delivery of an event, which may not exist.
    pub(crate) fn of(server: &Server, task_id: &str, event_id: &str) -> Self {
        let id = names::event_workflow_id("", task_id, event_id);
        Self(server.client.get_workflow_handle(id))
    }

    /// Waits until there is one delivery about a task, and returns it.
    pub(crate) async fn about(server: &Server, task_id: &str) -> anyhow::Result<Self> {
        let prefix = format!("{}{task_id}/", names::event_workflow_id_prefix(""));
        let query = format!("WorkflowId STARTS_WITH '{prefix}'");
        let list = async || {
            let options = WorkflowListOptions::default();
            let found = server.client.list_workflows(query.clone(), options);
            let found: Vec<_> = found.map_ok(|it| it.id().to_owned()).try_collect().await?;
            anyhow::Ok(found)
        };
        until_async("the delivery is listed", || async {
            Ok(!list().await?.is_empty())
        })
        .await?;
        let found = list().await?;
        let [id] = found.as_slice() else {
            anyhow::bail!("several deliveries: {found:?}");
        };
        Ok(Self(server.client.get_workflow_handle(id.as_str())))
    }

    /// Waits for the result.
    pub(crate) async fn result(&self) -> anyhow::Result<DeliverEventResult> {
        let options = WorkflowGetResultOptions::default();
        Ok(self.0.get_result(options).await?.into_message())
    }

    /// Cancels the delivery, and waits until it has ended so.
    pub(crate) async fn cancel(&self) -> anyhow::Result<()> {
        self.0.cancel(WorkflowCancelOptions::default()).await?;
        let ended = self.0.get_result(WorkflowGetResultOptions::default()).await;
        let is_cancelled = matches!(ended, Err(WorkflowGetResultError::Cancelled { .. }));
        ensure!(is_cancelled, "{ended:?}");
        Ok(())
    }

    /// Waits until the delivery has failed, and returns its history, in which the failure is.
    pub(crate) async fn failure(&self) -> anyhow::Result<String> {
        let failed = self.result().await;
        ensure!(failed.is_err(), "{failed:?}");
        self.history().await
    }

    /// Waits until the delivery waits for another attempt with a message that contains `text`, and returns the message.
    pub(crate) async fn until_waiting(&self, text: &str) -> anyhow::Result<String> {
        let waits = until_async(text, || async {
            ensure!(!self.is_completed().await?, "the event was delivered");
            Ok(self.last_failure().await?.contains(text))
        })
        .await;
        let failure = self.last_failure().await?;
        waits.with_context(|| format!("the last failure is `{failure}`"))?;
        Ok(failure)
    }

    /// Returns whether the event was delivered.
    pub(crate) async fn is_completed(&self) -> anyhow::Result<bool> {
        let description = self.0.describe(WorkflowDescribeOptions::default()).await?;
        Ok(description.status() == WorkflowExecutionStatus::Completed)
    }

    /// Returns the id of the latest run.
    pub(crate) async fn run_id(&self) -> anyhow::Result<String> {
        let description = self.0.describe(WorkflowDescribeOptions::default()).await?;
        Ok(description.run_id().to_owned())
    }

    /// Returns the message of the last failed attempt, empty if there is none.
    pub(crate) async fn last_failure(&self) -> anyhow::Result<String> {
        let description = self.0.describe(WorkflowDescribeOptions::default()).await?;
        let activity = description.raw().pending_activities.first();
        let failure = activity.and_then(|activity| activity.last_failure.as_ref());
        Ok(failure.map_or_else(String::new, |failure| failure.message.clone()))
    }

    /// Returns the history as JSON, which can be replayed.
    pub(crate) async fn history_json(&self) -> anyhow::Result<Vec<u8>> {
        let history = self.0.fetch_history(WorkflowFetchHistoryOptions::default());
        Ok(history.to_json().await?)
    }

    /// Returns the encoded history events as text. Payloads are not compressed, so strings in them can be found.
    pub(crate) async fn history(&self) -> anyhow::Result<String> {
        let history = self.0.fetch_history(WorkflowFetchHistoryOptions::default());
        let events = history.into_events().await?;
        let mut text = String::new();
        for event in events {
            let mut bytes = Vec::new();
            prost::Message::encode(&event, &mut bytes).context("cannot encode an event")?;
            text.push_str(&String::from_utf8_lossy(&bytes));
        }
        Ok(text)
    }
}
