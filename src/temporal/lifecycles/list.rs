//! Lists lifecycles by their search attributes.

use std::time::SystemTime;

use futures::TryStreamExt;
use jiff::Timestamp;
use seedance_archiver_proto::{
    names::{self, LIFECYCLE_WORKFLOW, search_attribute},
    time::unix_seconds,
};
use serde::Serialize;
use temporalio_client::{
    Client, WorkflowCountOptions, WorkflowExecution, WorkflowListOptions, errors::ClientError,
};

use super::{attributes::Attributes, execution::ExecutionStatus};

/// Maximum number of lifecycles that are sorted by deadline. Servers sort by start time only.
const MAX_SORTED: usize = 1000;

/// Selects lifecycles. The default selects all.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Only lifecycles of this account.
    pub account: Option<String>,
    /// Only lifecycles whose task had this status at the last poll.
    pub status: Option<String>,
    /// Only lifecycles with this outcome.
    pub outcome: Option<String>,
    /// Only lifecycles of this user.
    pub user: Option<String>,
    /// Only running lifecycles with an archive deadline before this time, the earliest deadline first.
    pub deadline_before: Option<SystemTime>,
}

/// A lifecycle in a list. Times are Unix seconds, 0 if unknown; other unknown values are empty.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LifecycleSummary {
    /// Task id.
    pub task_id: String,
    /// Account of the task.
    pub account: String,
    /// Model that generates the video.
    pub model: String,
    /// Status of the task at the last poll.
    pub status: String,
    /// Outcome of the lifecycle, empty while it is open.
    pub outcome: String,
    /// When the video can no longer be fetched.
    pub archive_deadline: i64,
    /// Whether the task is a draft.
    pub is_draft: bool,
    /// Until when a final video can be made from the draft.
    pub draft_deadline: i64,
    /// Task id of the draft that the video was made from.
    pub draft_task_id: String,
    /// User of the task, its `safety_identifier`.
    pub user: String,
    /// When the lifecycle started.
    pub started_at: i64,
    /// Status of the workflow.
    pub execution: ExecutionStatus,
    /// Workflow id.
    pub workflow_id: String,
}

/// A list of lifecycles.
#[derive(Clone, Debug, Serialize)]
pub struct List {
    /// The first lifecycles that match, up to the limit.
    pub lifecycles: Vec<LifecycleSummary>,
    /// Approximate number of lifecycles that match.
    pub total: usize,
}

/// Lists up to `limit` lifecycles, the latest first. With `deadline_before`, lists those of the latest 1000 that
/// have the earliest deadlines.
///
/// # Errors
///
/// Returns an error if Temporal is unreachable, or if the namespace lacks a search attribute that the filter
/// uses: see [`Filter::attributes`].
pub async fn list(client: &Client, filter: &Filter, limit: usize) -> Result<List, ClientError> {
    let query = filter.query();
    let sorts_by_deadline = filter.deadline_before.is_some();
    let max = match sorts_by_deadline {
        true => limit.max(MAX_SORTED),
        false => limit,
    };
    // One more than needed shows whether there are more.
    let options = WorkflowListOptions::builder()
        .limit(max.saturating_add(1))
        .build();
    let mut lifecycles: Vec<_> = client
        .list_workflows(query.as_str(), options)
        .map_ok(|execution| LifecycleSummary::from(&execution))
        .try_collect()
        .await?;
    let total = match lifecycles.len() > max {
        true => {
            let counted = client.count_workflows(query, WorkflowCountOptions::default());
            counted.await?.count().max(lifecycles.len())
        }
        false => lifecycles.len(),
    };
    if sorts_by_deadline {
        lifecycles.sort_by_key(|summary| summary.archive_deadline);
    }
    lifecycles.truncate(limit);
    Ok(List { lifecycles, total })
}

impl Filter {
    /// Returns the names of the search attributes that the filter uses.
    pub fn attributes(&self) -> impl Iterator<Item = &'static str> {
        let conditions = [
            (self.account.is_some(), search_attribute::ACCOUNT),
            (self.status.is_some(), search_attribute::STATUS),
            (self.outcome.is_some(), search_attribute::OUTCOME),
            (self.user.is_some(), search_attribute::USER),
            (
                self.deadline_before.is_some(),
                search_attribute::ARCHIVE_DEADLINE,
            ),
        ];
        conditions
            .into_iter()
            .filter_map(|(is_used, name)| is_used.then_some(name))
    }

    /// Returns the visibility query. Runs that were continued as new are left out: a later run represents the
    /// lifecycle.
    fn query(&self) -> String {
        let mut query = format!(
            "WorkflowType = '{LIFECYCLE_WORKFLOW}' AND ExecutionStatus != 'ContinuedAsNew'"
        );
        for (name, value) in [
            (search_attribute::ACCOUNT, &self.account),
            (search_attribute::STATUS, &self.status),
            (search_attribute::OUTCOME, &self.outcome),
            (search_attribute::USER, &self.user),
        ] {
            if let Some(value) = value {
                query += &format!(" AND {name} = {}", quote(value));
            }
        }
        let before = self.deadline_before;
        if let Some(before) = before.and_then(|time| Timestamp::try_from(time).ok()) {
            let name = search_attribute::ARCHIVE_DEADLINE;
            query += &format!(" AND ExecutionStatus = 'Running' AND {name} < '{before:.0}'");
        }
        query
    }
}

/// Returns the visibility query for the lifecycles of an account on one task queue whose workflow has this status. Another
/// task queue may belong to another deployment, whose account has the same name.
pub(super) fn account_query(account: &str, task_queue: &str, execution_status: &str) -> String {
    format!(
        "WorkflowType = '{LIFECYCLE_WORKFLOW}' AND ExecutionStatus = '{execution_status}' AND TaskQueue = {} AND \
         WorkflowId STARTS_WITH {}",
        quote(task_queue),
        quote(&names::lifecycle_workflow_id(account, ""))
    )
}

/// Quotes a value for a visibility query. Servers differ in how they read a backslash, which no status contains;
/// an escaped one cannot end the string on any of them.
pub(super) fn quote(value: &str) -> String {
    let escaped = value.replace('\\', "\\\\").replace('\'', "\\'");
    format!("'{escaped}'")
}

impl From<&WorkflowExecution> for LifecycleSummary {
    fn from(execution: &WorkflowExecution) -> Self {
        let attributes = execution.raw().search_attributes.as_ref();
        let attributes = attributes.map(Attributes::from).unwrap_or_default();
        let text = |name| attributes.get(name).to_owned();
        Self {
            task_id: text(search_attribute::TASK_ID),
            account: text(search_attribute::ACCOUNT),
            model: text(search_attribute::MODEL),
            status: text(search_attribute::STATUS),
            outcome: text(search_attribute::OUTCOME),
            archive_deadline: attributes.archive_deadline(),
            is_draft: attributes.is_draft(),
            draft_deadline: attributes.draft_deadline(),
            draft_task_id: text(search_attribute::DRAFT_TASK_ID),
            user: text(search_attribute::USER),
            started_at: execution.start_time().map_or(0, unix_seconds),
            execution: execution.status().into(),
            workflow_id: execution.id().to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_cannot_end_its_string() {
        let filter = Filter {
            status: Some("' OR '1'='1\\".into()),
            ..Filter::default()
        };
        assert!(
            filter
                .query()
                .ends_with(r"AND SeedanceStatus = '\' OR \'1\'=\'1\\'"),
            "{}",
            filter.query()
        );
    }

    #[test]
    fn a_deadline_is_a_time_in_utc() {
        let filter = Filter {
            deadline_before: Some(SystemTime::UNIX_EPOCH),
            ..Filter::default()
        };
        let end = "AND SeedanceArchiveDeadline < '1970-01-01T00:00:00Z'";
        assert!(filter.query().ends_with(end), "{}", filter.query());
    }
}
