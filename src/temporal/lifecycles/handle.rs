//! A handle of a lifecycle.

use std::error::Error;

use seedance_archiver_proto::names;
use seedance_archiver_workflows::VideoTaskLifecycle;
use temporalio_client::{Client, WorkflowExecutionInfo, WorkflowHandle};

use super::error::LifecycleError;

/// A handle of a lifecycle, which may not exist.
pub struct Lifecycle {
    pub(super) client: Client,
    pub(super) handle: WorkflowHandle<Client, VideoTaskLifecycle>,
}

impl Lifecycle {
    /// Returns the handle of a task's lifecycle, by its latest run.
    pub fn for_task(client: &Client, account: &str, task_id: &str) -> Self {
        let workflow_id = names::lifecycle_workflow_id(account, task_id);
        Self {
            client: client.clone(),
            handle: client.get_workflow_handle(workflow_id),
        }
    }

    /// Returns the handle of a task's lifecycle, by a run that was started or joined earlier.
    pub fn for_run(client: &Client, account: &str, task_id: &str, run_id: &str) -> Self {
        let info = WorkflowExecutionInfo::builder()
            .namespace(client.options().namespace.as_str())
            .workflow_id(names::lifecycle_workflow_id(account, task_id))
            .run_id(run_id)
            .build();
        Self {
            client: client.clone(),
            handle: WorkflowHandle::new(client.clone(), info),
        }
    }

    /// Returns the workflow id.
    pub fn workflow_id(&self) -> &str {
        &self.handle.info().workflow_id
    }

    /// Returns the id of the run that was started or joined, empty if the handle is not of one run.
    pub fn run_id(&self) -> &str {
        self.handle.run_id().unwrap_or_default()
    }

    /// Returns an error about this lifecycle.
    pub(crate) fn error(&self, message: String) -> LifecycleError {
        LifecycleError::new(self.workflow_id(), message)
    }

    /// Returns the error of a call about this lifecycle.
    pub(super) fn call_error(&self, error: &(dyn Error + 'static)) -> LifecycleError {
        LifecycleError::from_call(self.workflow_id(), error)
    }
}
