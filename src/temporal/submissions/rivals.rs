//! Other submissions of an account whose task is not known.
//!
//! The source is the visibility store, which follows changes within seconds.

use futures::{StreamExt, TryStreamExt};
use seedance_archiver_policy::submissions::Search;
use seedance_archiver_proto::names::{self, SUBMISSION_WORKFLOW};
use temporalio_client::{Client, WorkflowListOptions};

use super::Submission;
use crate::temporal::error_text;

/// Maximum number of open submissions that are queried. If there are more, one of them counts as a rival.
const MAX_QUERIED: usize = 200;

/// Returns whether another open submission of the account may have created a task that can be mistaken for that of this
/// search.
///
/// # Errors
///
/// Returns an error if Temporal is unreachable or rejects the call.
pub(crate) async fn exist(
    client: &Client,
    account: &str,
    own: &Submission,
    search: &Search,
) -> Result<bool, String> {
    let query = format!("WorkflowType = '{SUBMISSION_WORKFLOW}' AND ExecutionStatus = 'Running'");
    let prefix = names::submission_workflow_id(account, "");
    let open = client
        .list_workflows(query, WorkflowListOptions::default())
        .try_filter_map(async |execution| {
            let id = execution.id().strip_prefix(&prefix);
            Ok(id.map(str::to_owned))
        })
        .take(MAX_QUERIED + 1)
        .try_collect::<Vec<_>>();
    let open = open.await.map_err(|error| error_text::innermost(&error))?;
    if open.len() > MAX_QUERIED {
        return Ok(true);
    }
    for id in open {
        let other = Submission::new(client, account, &id);
        if other.workflow_id() != own.workflow_id() && is_rival(&other, search).await {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Returns whether a submission is a rival. One that does not answer counts as a rival, unless it has ended.
async fn is_rival(other: &Submission, search: &Search) -> bool {
    match other.status().await {
        Ok(status) => {
            let is_known = status
                .result
                .is_some_and(|result| !result.submission_ambiguous);
            !is_known && status.submitted.is_none_or(|it| search.is_rival(&it))
        }
        Err(_) => true,
    }
}
