//! What the server knows of a workflow, where it knows it.

use seedance_archiver_workflows::VideoTaskLifecycle;
use temporalio_client::{
    Client, WorkflowDescribeOptions, WorkflowExecutionDescription, WorkflowHandle,
    errors::WorkflowInteractionError,
};

use super::{Lifecycle, LifecycleError};

impl Lifecycle {
    /// What the server knows of this run, or of the latest one. `None`: it has no such workflow.
    pub(super) async fn describe(
        &self,
        handle: &WorkflowHandle<Client, VideoTaskLifecycle>,
    ) -> Result<Option<WorkflowExecutionDescription>, LifecycleError> {
        match handle.describe(WorkflowDescribeOptions::default()).await {
            Ok(description) => Ok(Some(description)),
            Err(WorkflowInteractionError::NotFound(status))
                if !names_namespace(status.details()) =>
            {
                Ok(None)
            }
            Err(
                WorkflowInteractionError::NotFound(status) | WorkflowInteractionError::Rpc(status),
            ) => Err(self.error(status.message().to_owned())),
            Err(error) => Err(self.error(error.to_string())),
        }
    }
}

/// Whether it is the namespace that is not found. The details are a protobuf that names its types.
fn names_namespace(details: &[u8]) -> bool {
    let name = b"NamespaceNotFoundFailure";
    details.windows(name.len()).any(|part| part == name)
}
