//! A snapshot of a lifecycle, from a describe call.

use seedance_archiver_proto::time::unix_seconds;
use seedance_archiver_workflows::VideoTaskLifecycle;
use serde::Serialize;
use temporalio_client::{
    Client, WorkflowDescribeOptions, WorkflowExecutionDescription, WorkflowHandle,
    errors::WorkflowInteractionError,
};

use super::{
    attributes::Attributes,
    error::LifecycleError,
    execution::ExecutionStatus,
    handle::Lifecycle,
    pending::{PendingActivity, Step},
};

/// A snapshot of a lifecycle: the response to one describe call. Times are Unix seconds, 0 if
/// unknown.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LifecycleSnapshot {
    /// Workflow id.
    pub workflow_id: String,
    /// Run id.
    pub run_id: String,
    /// Status of the workflow.
    pub execution: ExecutionStatus,
    /// When the run started.
    pub started_at: i64,
    /// When the run closed.
    pub ended_at: i64,
    /// Number of events in the history.
    pub history_events: u64,
    /// The search attributes of the lifecycle.
    pub search_attributes: Attributes,
    /// The pending activity. `None` between two activities and after the end.
    pub pending: Option<PendingActivity>,
}

impl LifecycleSnapshot {
    /// Returns the current step, or `None` between two activities and after the end.
    pub fn step(&self) -> Option<Step> {
        self.pending.as_ref().map(PendingActivity::step)
    }
}

impl Lifecycle {
    /// Describes the run of this handle. Returns `None` if the run does not exist or was deleted.
    ///
    /// # Errors
    ///
    /// Returns an error if Temporal is unreachable or the namespace does not exist.
    pub async fn describe(&self) -> Result<Option<LifecycleSnapshot>, LifecycleError> {
        self.describe_run(&self.handle).await
    }

    /// Describes the latest run of the workflow, which may be later than the run of this handle. Returns `None` if
    /// the workflow does not exist or was deleted.
    ///
    /// # Errors
    ///
    /// Returns an error if Temporal is unreachable or the namespace does not exist.
    pub async fn describe_latest(&self) -> Result<Option<LifecycleSnapshot>, LifecycleError> {
        let latest = self.client.get_workflow_handle(self.workflow_id());
        self.describe_run(&latest).await
    }

    /// Returns whether the server has the run of this handle. Closed runs are deleted after the namespace's
    /// retention period.
    ///
    /// # Errors
    ///
    /// Returns an error if Temporal is unreachable or the namespace does not exist.
    pub async fn exists(&self) -> Result<bool, LifecycleError> {
        Ok(self.describe().await?.is_some())
    }

    async fn describe_run(
        &self,
        run: &WorkflowHandle<Client, VideoTaskLifecycle>,
    ) -> Result<Option<LifecycleSnapshot>, LifecycleError> {
        match run.describe(WorkflowDescribeOptions::default()).await {
            Ok(description) => Ok(Some(self.snapshot(&description).await)),
            Err(WorkflowInteractionError::NotFound(status))
                if !is_namespace_not_found(status.details()) =>
            {
                Ok(None)
            }
            Err(
                WorkflowInteractionError::NotFound(status) | WorkflowInteractionError::Rpc(status),
            ) => Err(self.call_error(&status)),
            Err(error) => Err(self.call_error(&error)),
        }
    }

    async fn snapshot(&self, description: &WorkflowExecutionDescription) -> LifecycleSnapshot {
        let raw = description.raw();
        let pending = match raw.pending_activities.first() {
            Some(activity) => Some(PendingActivity::new(&self.client, activity).await),
            None => None,
        };
        let attributes = raw
            .workflow_execution_info
            .as_ref()
            .and_then(|info| info.search_attributes.as_ref());
        LifecycleSnapshot {
            workflow_id: description.id().to_owned(),
            run_id: description.run_id().to_owned(),
            execution: description.status().into(),
            started_at: description.start_time().map_or(0, unix_seconds),
            ended_at: description.close_time().map_or(0, unix_seconds),
            history_events: description.history_length() as u64,
            search_attributes: attributes.map(Attributes::from).unwrap_or_default(),
            pending,
        }
    }
}

/// Returns whether it was the namespace that was not found, by the details of a gRPC status: a protobuf message
/// that contains the names of its types.
fn is_namespace_not_found(details: &[u8]) -> bool {
    let type_name = b"NamespaceNotFoundFailure";
    details
        .windows(type_name.len())
        .any(|window| window == type_name)
}
