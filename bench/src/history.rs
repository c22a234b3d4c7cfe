//! Histories of workflows.

use std::time::SystemTime;

use temporalio_client::{
    Client, NamespacedClient, UntypedWorkflow, WorkflowExecutionInfo, WorkflowFetchHistoryOptions,
    WorkflowHandle, errors::WorkflowInteractionError, tonic::Code,
};
use temporalio_common::protos::temporal::api::history::v1::HistoryEvent;

/// Returns the events of a workflow, none if it does not exist. Without a run, they are those of the latest one.
pub(crate) async fn events(
    client: &Client,
    workflow_id: &str,
    run_id: Option<&str>,
) -> anyhow::Result<Vec<HistoryEvent>> {
    let info = WorkflowExecutionInfo::builder()
        .namespace(client.namespace())
        .workflow_id(workflow_id)
        .maybe_run_id(run_id.map(str::to_owned))
        .build();
    let handle = WorkflowHandle::<Client, UntypedWorkflow>::new(client.clone(), info);
    let history = handle.fetch_history(WorkflowFetchHistoryOptions::default());
    match history.into_events().await {
        Ok(events) => Ok(events),
        Err(WorkflowInteractionError::NotFound(_)) => Ok(Vec::new()),
        Err(WorkflowInteractionError::Rpc(status)) if status.code() == Code::NotFound => {
            Ok(Vec::new())
        }
        Err(error) => Err(error.into()),
    }
}

pub(crate) fn time_of(event: &HistoryEvent) -> Option<SystemTime> {
    SystemTime::try_from(event.event_time?).ok()
}
