//! Starts sweeps, follows them to their end, and has them repeated.
//!
//! - [`start`]: one sweep of an account.
//! - [`schedule`]: the Temporal Schedule that repeats it.
//! - [`auto_archive`]: keeps such schedules for the accounts that want it.

pub mod auto_archive;
pub mod schedule;

use seedance_archiver_proto::{
    names,
    v1::{SweepVideoTasksRequest, SweepVideoTasksResult},
};
use seedance_archiver_workflows::{SweepVideoTasks, reply::Reply};
use temporalio_client::{
    Client, WorkflowDescribeOptions, WorkflowGetResultOptions, WorkflowHandle,
    WorkflowIdConflictPolicy, WorkflowStartOptions, errors::WorkflowGetResultError,
};
use temporalio_common::protos::temporal::api::workflow::v1::PendingActivityInfo;

use crate::temporal::{lifecycles, watch::watching};

/// A sweep that was started, by this call or an earlier one.
pub struct Sweep {
    handle: WorkflowHandle<Client, SweepVideoTasks>,
}

/// A sweep could not be started or ended otherwise than with a result.
#[derive(Debug, thiserror::Error)]
#[error("{workflow_id}: {fault}")]
pub struct SweepError {
    workflow_id: String,
    fault: String,
}

/// Starts the sweep of an account. One that is running already is joined.
pub async fn start(
    client: &Client,
    task_queue: &str,
    request: SweepVideoTasksRequest,
) -> Result<Sweep, SweepError> {
    let workflow_id = names::sweep_workflow_id(&request.account);
    let options = WorkflowStartOptions::new(task_queue, workflow_id.as_str())
        .id_conflict_policy(WorkflowIdConflictPolicy::UseExisting)
        .static_summary(summary(&request.account))
        .build();
    match client
        .start_workflow(SweepVideoTasks, request.into(), options)
        .await
    {
        Ok(handle) => Ok(Sweep { handle }),
        Err(error) => Err(SweepError {
            workflow_id,
            fault: error.to_string(),
        }),
    }
}

fn summary(account: &str) -> String {
    format!(
        "Sweep of the account {}",
        names::account_or_default(account)
    )
}

impl Sweep {
    /// Waits for the result, telling `watch` in words what goes on until then.
    pub async fn follow(
        &self,
        mut watch: impl FnMut(String),
    ) -> Result<SweepVideoTasksResult, SweepError> {
        let look = async || {
            if let Some(doing) = self.doing().await {
                watch(doing);
            }
        };
        watching(self.result(), look).await
    }

    /// Waits for the result.
    pub async fn result(&self) -> Result<SweepVideoTasksResult, SweepError> {
        let options = WorkflowGetResultOptions::default();
        let result = self.handle.get_result(options).await;
        result.map(Reply::into_message).map_err(|error| {
            let fault = match error {
                WorkflowGetResultError::Failed(failure) => lifecycles::words(&failure),
                other => other.to_string(),
            };
            SweepError {
                workflow_id: self.handle.info().workflow_id.clone(),
                fault,
            }
        })
    }

    async fn doing(&self) -> Option<String> {
        let description = self.handle.describe(WorkflowDescribeOptions::default());
        let description = description.await.ok()?;
        description.raw().pending_activities.iter().find_map(doing)
    }
}

/// The last fault of a page, or how far it is.
fn doing(activity: &PendingActivityInfo) -> Option<String> {
    if let Some(failure) = &activity.last_failure {
        return Some(failure.message.clone());
    }
    let details = activity.heartbeat_details.as_ref()?.payloads.first()?;
    let progress: SweepVideoTasksResult = serde_json::from_slice(&details.data).ok()?;
    Some(format!(
        "{} tasks of this page looked at, {} lifecycles started",
        progress.listed, progress.started
    ))
}
