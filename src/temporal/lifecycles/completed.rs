//! Finds the lifecycles of an account that completed last, to learn from their tasks.

use std::time::SystemTime;

use futures::{StreamExt, TryStreamExt};
use jiff::Timestamp;
use seedance_archiver_proto::{
    names::{self, LIFECYCLE_WORKFLOW},
    v1::VideoTask,
};
use temporalio_client::{Client, WorkflowExecution, WorkflowListOptions, errors::ClientError};

use super::{handle::Lifecycle, list::quote};

/// How many results are read at once.
const CONCURRENCY: usize = 4;

/// A lifecycle that completed.
pub(crate) struct CompletedLifecycle {
    /// Task id.
    pub(crate) task_id: String,
    run_id: String,
}

/// Lists the lifecycles of an account on one task queue that completed after a time, or at any time: the last `limit`, the
/// latest first.
///
/// # Errors
///
/// Returns an error if Temporal is unreachable or rejects the call.
pub(crate) async fn completed(
    client: &Client,
    account: &str,
    task_queue: &str,
    closed_after: Option<SystemTime>,
    limit: usize,
) -> Result<Vec<CompletedLifecycle>, ClientError> {
    let prefix = names::lifecycle_workflow_id(account, "");
    let mut query = format!(
        "WorkflowType = '{LIFECYCLE_WORKFLOW}' AND ExecutionStatus = 'Completed' AND TaskQueue = {} AND \
         WorkflowId STARTS_WITH {}",
        quote(task_queue),
        quote(&prefix)
    );
    if let Some(time) = closed_after.and_then(|time| Timestamp::try_from(time).ok()) {
        query += &format!(" AND CloseTime > '{time:.3}'");
    }
    let options = WorkflowListOptions::builder().limit(limit).build();
    let completed = |execution: WorkflowExecution| {
        Some(CompletedLifecycle {
            task_id: execution.id().strip_prefix(&prefix)?.to_owned(),
            run_id: execution.run_id().to_owned(),
        })
    };
    client
        .list_workflows(query, options)
        .try_filter_map(async |execution| Ok(completed(execution)))
        .try_collect()
        .await
}

/// Returns the last records of the tasks, in the order of the lifecycles. Those whose result cannot be read are left out:
/// the retention may have deleted them, or another version encoded them.
pub(crate) async fn tasks(
    client: &Client,
    account: &str,
    lifecycles: Vec<CompletedLifecycle>,
) -> Vec<VideoTask> {
    let task = async |completed: CompletedLifecycle| {
        let CompletedLifecycle { task_id, run_id } = completed;
        let lifecycle = Lifecycle::for_run(client, account, &task_id, &run_id);
        lifecycle.result().await.ok()?.task
    };
    futures::stream::iter(lifecycles)
        .map(task)
        .buffered(CONCURRENCY)
        .filter_map(async |task| task)
        .collect()
        .await
}
