//! To whom a task belongs, by the workflows of its lifecycle and its claim.

use seedance_archiver_proto::names;
use seedance_archiver_workflows::VideoTaskLifecycle;
use temporalio_client::{Client, WorkflowDescribeOptions, errors::WorkflowInteractionError};

use crate::temporal::error_text;

/// The owner of a task.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Owner {
    /// Nobody: it has no lifecycle.
    Nobody,
    /// The submission with this workflow id.
    Submission(String),
    /// Nobody or a caller: it has a lifecycle that no submission started.
    Lifecycle,
}

/// Returns the owner of a task.
///
/// # Errors
///
/// Returns an error if Temporal is unreachable or rejects the call.
pub(crate) async fn of_task(
    client: &Client,
    account: &str,
    task_id: &str,
) -> Result<Owner, String> {
    let submissions = names::submission_workflow_id(account, "");
    let is_submission = |id: &String| id.starts_with(&submissions);
    let claim = parent_of(client, names::claim_workflow_id(account, task_id)).await?;
    if let Some(parent) = claim.flatten().filter(is_submission) {
        return Ok(Owner::Submission(parent));
    }
    let lifecycle = parent_of(client, names::lifecycle_workflow_id(account, task_id)).await?;
    Ok(match lifecycle {
        None => Owner::Nobody,
        Some(parent) => match parent.filter(is_submission) {
            Some(parent) => Owner::Submission(parent),
            None => Owner::Lifecycle,
        },
    })
}

/// Returns the workflow id of the parent of a workflow, if it has one. Returns `None` if there is no such workflow.
async fn parent_of(client: &Client, workflow_id: String) -> Result<Option<Option<String>>, String> {
    // The type is irrelevant: only `describe` is called.
    let handle = client.get_workflow_handle::<VideoTaskLifecycle>(workflow_id);
    match handle.describe(WorkflowDescribeOptions::default()).await {
        Ok(description) => Ok(Some(description.parent_id().map(str::to_owned))),
        Err(WorkflowInteractionError::NotFound(_)) => Ok(None),
        Err(error) => Err(error_text::innermost(&error)),
    }
}
