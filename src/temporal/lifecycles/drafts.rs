//! Lists the drafts of which a final video can still be made, with the finals that are known.
//!
//! The source is Temporal's visibility store: the receipt of a draft is written before its finals exist, and is never
//! changed.

use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime},
};

use futures::TryStreamExt;
use jiff::Timestamp;
use seedance_archiver_proto::{
    names::{LIFECYCLE_WORKFLOW, search_attribute},
    status,
};
use serde::Serialize;
use temporalio_client::{Client, WorkflowListOptions, errors::ClientError};

use super::list::{LifecycleSummary, quote};

/// Maximum number of lifecycles that one query reads. Servers sort by start time only and return the newest first, which
/// have the latest deadlines, so those of all drafts are needed.
const MAX_READ: usize = 10_000;
/// Maximum number of drafts whose finals are found by one query.
const DRAFTS_PER_QUERY: usize = 50;

/// Selects drafts.
#[derive(Clone, Debug)]
pub struct DraftFilter {
    /// Only drafts of this account. `None`: of all accounts.
    pub account: Option<String>,
    /// The current time: only drafts of which a final can still be made.
    pub now: SystemTime,
    /// Only drafts with at most this much time left. `None`: all.
    pub within: Option<Duration>,
}

/// A draft of which a final video can still be made.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Draft {
    /// Task id.
    pub task_id: String,
    /// Account of the task.
    pub account: String,
    /// Model that generated the draft.
    pub model: String,
    /// Outcome of the draft's lifecycle, empty while it is open. A final can be made of a draft whose video is lost.
    pub outcome: String,
    /// Until when a final can be made, in Unix seconds.
    pub draft_deadline: i64,
    /// Task ids of the finals that have a lifecycle and did not fail. A final without a lifecycle is not known.
    pub finals: Vec<String>,
    /// Workflow id of the draft's lifecycle.
    pub workflow_id: String,
}

/// Drafts, those with the earliest deadline first.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Drafts {
    /// The drafts.
    pub drafts: Vec<Draft>,
    /// Whether there may be more.
    pub has_more: bool,
}

/// Lists up to `limit` drafts, those with the earliest deadlines of the newest 10,000.
///
/// # Errors
///
/// Returns an error if Temporal is unreachable, or if the namespace lacks a search attribute of drafts.
pub async fn drafts(
    client: &Client,
    filter: &DraftFilter,
    limit: usize,
) -> Result<Drafts, ClientError> {
    let found = read(client, filter.query()).await?;
    let may_lack_some = found.len() == MAX_READ;
    // A task may have several lifecycles. The newest one comes first.
    let mut by_id = BTreeMap::new();
    for lifecycle in found {
        let key = (lifecycle.account.clone(), lifecycle.task_id.clone());
        by_id.entry(key).or_insert_with(|| Draft::from(lifecycle));
    }
    let mut drafts: Vec<_> = by_id.into_values().collect();
    drafts.sort_by_key(|draft| draft.draft_deadline);
    let has_more = may_lack_some || drafts.len() > limit;
    drafts.truncate(limit);
    for batch in drafts.chunks_mut(DRAFTS_PER_QUERY) {
        add_finals(client, batch).await?;
    }
    Ok(Drafts { drafts, has_more })
}

async fn add_finals(client: &Client, drafts: &mut [Draft]) -> Result<(), ClientError> {
    let ids: Vec<_> = drafts.iter().map(|draft| quote(&draft.task_id)).collect();
    let query = format!(
        "{} AND {} IN ({})",
        lifecycles_query(),
        search_attribute::DRAFT_TASK_ID,
        ids.join(", ")
    );
    for lifecycle in read(client, query).await? {
        if is_failed(&lifecycle) {
            continue;
        }
        // Two accounts of the archiver may be the same account of the service.
        let made_from = |draft: &&mut Draft| draft.task_id == lifecycle.draft_task_id;
        for draft in drafts.iter_mut().filter(made_from) {
            if !draft.finals.contains(&lifecycle.task_id) {
                draft.finals.push(lifecycle.task_id.clone());
            }
        }
    }
    Ok(())
}

/// Returns whether there is no final because its task failed.
fn is_failed(lifecycle: &LifecycleSummary) -> bool {
    status::is_terminal(&lifecycle.status) && lifecycle.status != status::SUCCEEDED
}

/// Reads lifecycles, the newest first.
async fn read(client: &Client, query: String) -> Result<Vec<LifecycleSummary>, ClientError> {
    let options = WorkflowListOptions::builder().limit(MAX_READ).build();
    client
        .list_workflows(query, options)
        .map_ok(|execution| LifecycleSummary::from(&execution))
        .try_collect()
        .await
}

fn lifecycles_query() -> String {
    format!("WorkflowType = '{LIFECYCLE_WORKFLOW}' AND ExecutionStatus != 'ContinuedAsNew'")
}

impl DraftFilter {
    fn query(&self) -> String {
        let mut query = lifecycles_query();
        if let Some(account) = &self.account {
            query += &format!(" AND {} = {}", search_attribute::ACCOUNT, quote(account));
        }
        let deadline = search_attribute::DRAFT_DEADLINE;
        query += &format!(" AND {deadline} > '{}'", utc(self.now));
        let before = self.within.map(|within| self.now.checked_add(within));
        if let Some(before) = before.flatten() {
            query += &format!(" AND {deadline} <= '{}'", utc(before));
        }
        query
    }
}

fn utc(time: SystemTime) -> String {
    let time = Timestamp::try_from(time).unwrap_or(Timestamp::MAX);
    format!("{time:.0}")
}

impl From<LifecycleSummary> for Draft {
    fn from(lifecycle: LifecycleSummary) -> Self {
        Self {
            task_id: lifecycle.task_id,
            account: lifecycle.account,
            model: lifecycle.model,
            outcome: lifecycle.outcome,
            draft_deadline: lifecycle.draft_deadline,
            finals: Vec::new(),
            workflow_id: lifecycle.workflow_id,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_query_selects_the_drafts_that_can_still_become_a_final() {
        let filter = DraftFilter {
            account: Some("eu".into()),
            now: SystemTime::UNIX_EPOCH,
            within: Some(Duration::from_secs(60)),
        };
        let expected = " AND SeedanceAccount = 'eu' AND SeedanceDraftDeadline > '1970-01-01T00:00:00Z' AND \
                        SeedanceDraftDeadline <= '1970-01-01T00:01:00Z'";
        assert!(filter.query().ends_with(expected), "{}", filter.query());
        let all = DraftFilter {
            account: None,
            within: None,
            ..filter
        };
        let expected = "'ContinuedAsNew' AND SeedanceDraftDeadline > '1970-01-01T00:00:00Z'";
        assert!(all.query().ends_with(expected), "{}", all.query());
    }
}
