//! Starts sweeps, follows them to their end, and repeats them by a schedule.
//!
//! - [`start`]: starts one sweep of an account.
//! - [`schedule`]: the Temporal Schedule that repeats it.
//! - [`auto_archive`]: maintains the schedules of accounts with `auto_archive`.

pub mod auto_archive;
pub(crate) mod pause;
pub mod schedule;

use std::error::Error;

use seedance_archiver_proto::{
    names,
    v1::{SweepVideoTasksRequest, SweepVideoTasksResult},
};
use seedance_archiver_workflows::{SweepVideoTasks, reply::Reply};
use temporalio_client::{
    Client, WorkflowDescribeOptions, WorkflowGetResultOptions, WorkflowHandle,
    WorkflowIdConflictPolicy, WorkflowStartOptions, errors::WorkflowGetResultError,
};

use crate::temporal::{codec, error_text, progress};

/// A sweep that was started or joined.
pub struct Sweep {
    client: Client,
    handle: WorkflowHandle<Client, SweepVideoTasks>,
}

/// A sweep could not be started, or ended without a result.
#[derive(Debug, thiserror::Error)]
#[error("{workflow_id}: {message}")]
pub struct SweepError {
    workflow_id: String,
    message: String,
}

/// Starts the sweep of an account. If it is running already, joins it.
///
/// # Errors
///
/// Returns an error if Temporal is unreachable or rejects the call.
pub async fn start(
    client: &Client,
    task_queue: &str,
    request: SweepVideoTasksRequest,
) -> Result<Sweep, SweepError> {
    let workflow_id = names::sweep_workflow_id(&request.account);
    let account = names::account_or_default(&request.account);
    let options = WorkflowStartOptions::new(task_queue, workflow_id.as_str())
        .id_conflict_policy(WorkflowIdConflictPolicy::UseExisting)
        .static_summary(format!("Sweep of the account {account}"))
        .build();
    match client
        .start_workflow(SweepVideoTasks, request.into(), options)
        .await
    {
        Ok(handle) => Ok(Sweep {
            client: client.clone(),
            handle,
        }),
        Err(error) => Err(SweepError {
            workflow_id,
            message: error_text::innermost(&error),
        }),
    }
}

impl Sweep {
    /// Waits for the result, and reports the progress of the current page a few times a second until then.
    ///
    /// # Errors
    ///
    /// Those of [`Sweep::result`].
    pub async fn follow(
        &self,
        mut report: impl FnMut(String),
    ) -> Result<SweepVideoTasksResult, SweepError> {
        let report_progress = async || {
            if let Some(text) = self.progress().await {
                report(text);
            }
        };
        progress::report_until(self.result(), report_progress).await
    }

    /// Waits for the result.
    ///
    /// # Errors
    ///
    /// Returns an error if the sweep failed, was cancelled or terminated, or Temporal is unreachable.
    pub async fn result(&self) -> Result<SweepVideoTasksResult, SweepError> {
        let options = WorkflowGetResultOptions::default();
        match self.handle.get_result(options).await {
            Ok(result) => Ok(Reply::into_message(result)),
            Err(WorkflowGetResultError::Failed(failure)) => {
                Err(self.error(error_text::from_failure(&failure)))
            }
            Err(WorkflowGetResultError::Rpc(status)) => Err(self.call_error(&status)),
            Err(error) => Err(self.call_error(&error)),
        }
    }

    /// Returns the progress of the current page, or the message of its last failure. Returns `None` if neither is
    /// known.
    async fn progress(&self) -> Option<String> {
        let description = self.handle.describe(WorkflowDescribeOptions::default());
        let description = description.await.ok()?;
        let activity = description.raw().pending_activities.first()?;
        if let Some(failure) = &activity.last_failure {
            return Some(failure.message.clone());
        }
        let progress: SweepVideoTasksResult = codec::heartbeat(&self.client, activity).await?;
        Some(format!(
            "checked {} tasks of this page, started {} lifecycles",
            progress.listed, progress.started
        ))
    }

    fn error(&self, message: String) -> SweepError {
        SweepError {
            workflow_id: self.handle.info().workflow_id.clone(),
            message,
        }
    }

    fn call_error(&self, error: &(dyn Error + 'static)) -> SweepError {
        self.error(error_text::innermost(error))
    }
}
