//! Other submissions of an account whose task is not known.
//!
//! The source is the visibility store, which follows changes within seconds.

use std::sync::Arc;

use futures::{StreamExt, TryStreamExt};
use seedance_archiver_policy::submissions::Search;
use seedance_archiver_proto::{
    names::{self, SUBMISSION_WORKFLOW, SUBMITTED_MEMO},
    v1::{SubmittedRequest, VideoTask},
};
use temporalio_client::{
    Client, WorkflowDescribeOptions, WorkflowExecution, WorkflowExecutionStatus,
    WorkflowListOptions, errors::WorkflowInteractionError,
};

use super::Submission;
use crate::temporal::error_text;

/// Maximum number of open submissions that are listed.
const MAX_LISTED: usize = 5_000;
/// Maximum number of submissions that are looked up because the visibility store may show that they are open too late. If
/// there are more, one of them counts as a rival.
const MAX_DESCRIBED: usize = 5;

/// A submission that the visibility store shows as open.
#[derive(Debug)]
pub(crate) struct OpenSubmission {
    id: String,
    /// What its request asks for, from its memo. `None`: unknown.
    submitted: Option<SubmittedRequest>,
}

/// The open submissions of an account.
pub(crate) type OpenSubmissions = Arc<[OpenSubmission]>;

/// Lists the open submissions of an account.
///
/// # Errors
///
/// Returns an error if Temporal is unreachable or rejects the call.
pub(crate) async fn open(client: &Client, account: &str) -> Result<OpenSubmissions, String> {
    let query = format!("WorkflowType = '{SUBMISSION_WORKFLOW}' AND ExecutionStatus = 'Running'");
    let prefix = names::submission_workflow_id(account, "");
    let open = client
        .list_workflows(query, WorkflowListOptions::default())
        .try_filter_map(async |execution: WorkflowExecution| {
            let id = execution.id().strip_prefix(&prefix).map(str::to_owned);
            Ok(id.map(|id| OpenSubmission {
                id,
                submitted: execution.memo().get(SUBMITTED_MEMO).ok().flatten(),
            }))
        })
        .take(MAX_LISTED + 1)
        .try_collect::<Vec<_>>();
    let open = open.await.map_err(|error| error_text::innermost(&error))?;
    if open.len() > MAX_LISTED {
        return Err(format!("more than {MAX_LISTED} submissions are open"));
    }
    Ok(open.into())
}

/// Returns whether one of these submissions, other than `own`, is open and may have created a task.
///
/// # Errors
///
/// Returns an error if Temporal is unreachable or rejects the call.
pub(crate) async fn exist(
    client: &Client,
    account: &str,
    own: &Submission,
    task: &VideoTask,
    open: &OpenSubmissions,
) -> Result<bool, String> {
    let rivals = open.iter().filter(|it| {
        let search = it.submitted.clone().and_then(Search::new);
        search.is_none_or(|search| search.may_have_created(task))
    });
    let rivals = rivals.map(|it| Submission::new(client, account, &it.id));
    let rivals: Vec<_> = rivals
        .filter(|it| it.workflow_id() != own.workflow_id())
        .collect();
    if rivals.len() > MAX_DESCRIBED {
        return Ok(true);
    }
    for rival in rivals {
        if rival.is_open().await? {
            return Ok(true);
        }
    }
    Ok(false)
}

impl Submission {
    /// Returns whether the submission is open. The answer is up to date.
    async fn is_open(&self) -> Result<bool, String> {
        let described = self.handle.describe(WorkflowDescribeOptions::default());
        match described.await {
            Ok(description) => Ok(description.status() == WorkflowExecutionStatus::Running),
            Err(WorkflowInteractionError::NotFound(_)) => Ok(false),
            Err(error) => Err(error_text::innermost(&error)),
        }
    }
}
