//! Finds the open lifecycles of an account, for its watcher.
//!
//! The source is the visibility store, which follows changes within seconds.

use std::time::SystemTime;

use futures::TryStreamExt;
use jiff::Timestamp;
use seedance_archiver_proto::names::{self, search_attribute};
use temporalio_client::{
    Client, WorkflowCountOptions, WorkflowExecution, WorkflowListOptions, errors::ClientError,
};

use super::{attributes::Attributes, list::account_query};

/// An open lifecycle. It may be archiving its video already.
pub(crate) struct OpenLifecycle {
    /// Task id.
    pub(crate) task_id: String,
    /// Status of the task that the lifecycle knows. Empty: it knows none, or the search attributes are not registered.
    pub(crate) status: String,
    /// When the lifecycle started, by the server's clock.
    pub(crate) started_at: SystemTime,
}

/// The open lifecycles of an account on one task queue.
pub(crate) struct OpenLifecycles {
    prefix: String,
    query: String,
}

impl OpenLifecycles {
    pub(crate) fn new(account: &str, task_queue: &str) -> Self {
        Self {
            prefix: names::lifecycle_workflow_id(account, ""),
            query: account_query(account, task_queue, "Running"),
        }
    }

    /// Counts them.
    pub(crate) async fn count(&self, client: &Client) -> Result<usize, ClientError> {
        let counted = client.count_workflows(self.query.as_str(), WorkflowCountOptions::default());
        Ok(counted.await?.count())
    }

    /// Lists those that started after a time, or all.
    pub(crate) async fn list(
        &self,
        client: &Client,
        started_after: Option<SystemTime>,
    ) -> Result<Vec<OpenLifecycle>, ClientError> {
        let mut query = self.query.clone();
        if let Some(time) = started_after.and_then(|time| Timestamp::try_from(time).ok()) {
            query += &format!(" AND StartTime > '{time:.3}'");
        }
        client
            .list_workflows(query, WorkflowListOptions::default())
            .try_filter_map(async |execution| Ok(self.open_lifecycle(&execution)))
            .try_collect()
            .await
    }

    fn open_lifecycle(&self, execution: &WorkflowExecution) -> Option<OpenLifecycle> {
        let attributes = execution.raw().search_attributes.as_ref();
        let attributes = attributes.map(Attributes::from).unwrap_or_default();
        Some(OpenLifecycle {
            task_id: execution.id().strip_prefix(&self.prefix)?.to_owned(),
            status: attributes.get(search_attribute::STATUS).to_owned(),
            started_at: execution.start_time()?,
        })
    }
}
