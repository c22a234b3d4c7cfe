//! Finds lifecycles by their search attributes.

use std::time::SystemTime;

use futures::TryStreamExt;
use jiff::Timestamp;
use seedance_archiver_proto::names::{LIFECYCLE_WORKFLOW, search_attribute};
use serde::Serialize;
use temporalio_client::{
    Client, WorkflowCountOptions, WorkflowExecution, WorkflowListOptions, errors::ClientError,
};

use super::state::{own_attributes, word};
use seedance_archiver_proto::time::unix_seconds;

/// How many are looked through for those whose deadlines are next: a server lists by start.
const MOST_SORTED: usize = 1000;

/// Which lifecycles are listed.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Those of this account.
    pub account: Option<String>,
    /// Those whose task was last seen with this status.
    pub status: Option<String>,
    /// Those that ended so.
    pub outcome: Option<String>,
    /// Those that run and have no longer than until then, the most urgent first.
    pub deadline_before: Option<SystemTime>,
}

/// A lifecycle in a list. Times are Unix seconds, 0 where they are not known; what is not known
/// otherwise is empty.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Listed {
    /// Id of the task.
    pub task_id: String,
    /// Account that it belongs to.
    pub account: String,
    /// Model that makes it.
    pub model: String,
    /// Its status, when it was last seen.
    pub status: String,
    /// How the lifecycle ended.
    pub outcome: String,
    /// Until when the video's bytes can be had.
    pub archive_deadline: i64,
    /// When the lifecycle started.
    pub started_at: i64,
    /// What Temporal says of the lifecycle: `running`, `completed`, `terminated`, …
    pub execution: &'static str,
    /// Id of its workflow.
    pub workflow_id: String,
}

/// Lifecycles that were found.
#[derive(Clone, Debug, Serialize)]
pub struct List {
    /// Some of them.
    pub lifecycles: Vec<Listed>,
    /// How many there are, about.
    pub total: usize,
}

/// Lists lifecycles, but no more than `limit`: the latest first, or, by `deadline_before`, the most urgent of
/// the latest 1000.
///
/// # Errors
///
/// Where Temporal cannot be reached, or the namespace does not have the search attributes that the filter asks
/// for: see [`Filter::attributes`].
pub async fn list(client: &Client, filter: &Filter, limit: usize) -> Result<List, ClientError> {
    let query = filter.query();
    let is_sorted = filter.deadline_before.is_some();
    let most = match is_sorted {
        true => limit.max(MOST_SORTED),
        false => limit,
    };
    let options = WorkflowListOptions::builder()
        .limit(most.saturating_add(1))
        .build();
    let found = client.list_workflows(query.as_str(), options);
    let mut lifecycles: Vec<_> = found.map_ok(|it| listed(&it)).try_collect().await?;
    let total = match lifecycles.len() > most {
        true => {
            let counted = client.count_workflows(query, WorkflowCountOptions::default());
            counted.await?.count().max(lifecycles.len())
        }
        false => lifecycles.len(),
    };
    if is_sorted {
        lifecycles.sort_by_key(|it| it.archive_deadline);
    }
    lifecycles.truncate(limit);
    Ok(List { lifecycles, total })
}

impl Filter {
    /// The search attributes that it asks for.
    pub fn attributes(&self) -> impl Iterator<Item = &'static str> {
        let asked = [
            (self.account.is_some(), search_attribute::ACCOUNT),
            (self.status.is_some(), search_attribute::STATUS),
            (self.outcome.is_some(), search_attribute::OUTCOME),
            (
                self.deadline_before.is_some(),
                search_attribute::ARCHIVE_DEADLINE,
            ),
        ];
        asked
            .into_iter()
            .filter_map(|(is_asked, name)| is_asked.then_some(name))
    }

    /// Runs that were continued as new are not the lifecycle's last.
    fn query(&self) -> String {
        let mut query = format!(
            "WorkflowType = '{LIFECYCLE_WORKFLOW}' AND ExecutionStatus != 'ContinuedAsNew'"
        );
        for (name, value) in [
            (search_attribute::ACCOUNT, &self.account),
            (search_attribute::STATUS, &self.status),
            (search_attribute::OUTCOME, &self.outcome),
        ] {
            if let Some(value) = value {
                query += &format!(" AND {name} = {}", quoted(value));
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

/// A value as a query takes it, whatever is in it. Servers differ in what they make of a backslash, which
/// no status has: one that is escaped ends no value anywhere.
fn quoted(value: &str) -> String {
    let escaped = value.replace('\\', "\\\\").replace('\'', "\\'");
    format!("'{escaped}'")
}

fn listed(found: &WorkflowExecution) -> Listed {
    let attributes = found.raw().search_attributes.as_ref();
    let mut attributes = attributes.map(own_attributes).unwrap_or_default();
    let mut take = |name| attributes.remove(name).unwrap_or_default();
    let deadline = take(search_attribute::ARCHIVE_DEADLINE).parse::<Timestamp>();
    // Its id names the task where search attributes do not.
    let mut parts = found.id().splitn(3, '/').skip(1);
    let (account, task_id) = (parts.next(), parts.next());
    let or = |attribute: String, part: Option<&str>| match attribute.is_empty() {
        true => part.unwrap_or_default().to_owned(),
        false => attribute,
    };
    Listed {
        task_id: or(take(search_attribute::TASK_ID), task_id),
        account: or(take(search_attribute::ACCOUNT), account),
        model: take(search_attribute::MODEL),
        status: take(search_attribute::STATUS),
        outcome: take(search_attribute::OUTCOME),
        archive_deadline: deadline.map_or(0, Timestamp::as_second),
        started_at: found.start_time().map_or(0, unix_seconds),
        execution: word(found.status()),
        workflow_id: found.id().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stay_values() {
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
        let filter = Filter {
            deadline_before: Some(SystemTime::UNIX_EPOCH),
            ..Filter::default()
        };
        let end = "AND SeedanceArchiveDeadline < '1970-01-01T00:00:00Z'";
        assert!(filter.query().ends_with(end), "{}", filter.query());
    }
}
