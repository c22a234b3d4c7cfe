//! To whom a task belongs, by the workflows of its lifecycle and its claim.

use std::collections::BTreeMap;

use futures::TryStreamExt;
use seedance_archiver_proto::names;
use seedance_archiver_workflows::VideoTaskLifecycle;
use temporalio_client::{
    Client, WorkflowDescribeOptions, WorkflowExecution, WorkflowListOptions,
    errors::WorkflowInteractionError,
};

use crate::temporal::error_text;

/// Maximum number of tasks in a query of the visibility store. Each has two workflow ids.
const MAX_LISTED: usize = 100;

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

/// Returns the owner of a task, by two calls. The answer is up to date, unless a lifecycle that a submission started has
/// ended, and somebody started another one: the earlier one is then read from the visibility store, which may be late.
///
/// # Errors
///
/// Returns an error if Temporal is unreachable or rejects the call.
pub(crate) async fn of_task(
    client: &Client,
    account: &str,
    task_id: &str,
) -> Result<Owner, String> {
    let submissions = Submissions::of(account);
    let claim = parent_of(client, names::claim_workflow_id(account, task_id)).await?;
    if let Some(owner) = claim.and_then(|parent| submissions.owner(parent.as_deref())) {
        return Ok(owner);
    }
    let lifecycle = parent_of(client, names::lifecycle_workflow_id(account, task_id)).await?;
    let Some(parent) = lifecycle else {
        return Ok(Owner::Nobody);
    };
    if let Some(owner) = submissions.owner(parent.as_deref()) {
        return Ok(owner);
    }
    // That was the latest run. `AwaitVideoTask`, and whoever else asks for the video again, starts one after the run that a
    // submission started has ended.
    let mut runs = listed(client, account, &[task_id.to_owned()]).await?;
    Ok(runs.remove(task_id).unwrap_or(Owner::Lifecycle))
}

/// Returns the owners of tasks that the visibility store shows, by one call for a hundred tasks. The store may be late: a
/// task without an owner in it may have one.
///
/// # Errors
///
/// Returns an error if Temporal is unreachable or rejects a call.
pub(crate) async fn listed(
    client: &Client,
    account: &str,
    task_ids: &[String],
) -> Result<BTreeMap<String, Owner>, String> {
    let mut owners = BTreeMap::new();
    for task_ids in task_ids.chunks(MAX_LISTED) {
        let Some(query) = query(account, task_ids) else {
            continue;
        };
        let mut executions =
            std::pin::pin!(client.list_workflows(query, WorkflowListOptions::default()));
        while let Some(execution) = executions
            .try_next()
            .await
            .map_err(|error| error_text::innermost(&error))?
        {
            add(&mut owners, account, &execution);
        }
    }
    Ok(owners)
}

/// Adds what a workflow says. A submission that owns a task is its owner whatever else was started for it.
fn add(owners: &mut BTreeMap<String, Owner>, account: &str, execution: &WorkflowExecution) {
    let prefixes = [
        names::claim_workflow_id(account, ""),
        names::lifecycle_workflow_id(account, ""),
    ];
    let mut prefixes = prefixes.iter();
    let Some(task_id) = prefixes.find_map(|prefix| execution.id().strip_prefix(prefix)) else {
        return;
    };
    let owner = Submissions::of(account).owner(execution.parent_id());
    let known = owners.entry(task_id.to_owned()).or_insert(Owner::Lifecycle);
    if let Some(owner) = owner {
        *known = owner;
    }
}

/// Returns the query for the workflows that say to whom tasks belong.
fn query(account: &str, task_ids: &[String]) -> Option<String> {
    let ids = task_ids.iter().flat_map(|task_id| {
        [
            names::claim_workflow_id(account, task_id),
            names::lifecycle_workflow_id(account, task_id),
        ]
    });
    // An id with a quote could end the string. No service has such ids.
    let ids = ids.filter(|id| !id.contains('\''));
    let ids: Vec<_> = ids.map(|id| format!("'{id}'")).collect();
    (!ids.is_empty()).then(|| format!("WorkflowId IN ({})", ids.join(", ")))
}

/// The workflow ids of an account's submissions.
struct Submissions(String);

impl Submissions {
    fn of(account: &str) -> Self {
        Self(names::submission_workflow_id(account, ""))
    }

    /// Returns the owner that the parent of a workflow is, if it is a submission.
    fn owner(&self, parent: Option<&str>) -> Option<Owner> {
        let parent = parent.filter(|id| id.starts_with(&self.0))?;
        Some(Owner::Submission(parent.to_owned()))
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_names_the_workflows_of_each_task() {
        let query = |ids: &[&str]| {
            let ids: Vec<_> = ids.iter().map(|id| (*id).to_owned()).collect();
            query("", &ids)
        };
        assert_eq!(
            query(&["cgt-1", "cgt' OR '"]).unwrap(),
            "WorkflowId IN ('video-task-claim/default/cgt-1', 'video-task/default/cgt-1')"
        );
        assert_eq!(query(&["'"]), None);
    }
}
