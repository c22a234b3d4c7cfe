//! Finds the lifecycles of an account that completed last, to learn from their tasks.

use std::time::SystemTime;

use futures::{Stream, StreamExt, TryStreamExt};
use jiff::Timestamp;
use seedance_archiver_proto::{names, v1::VideoTaskLifecycleResult};
use temporalio_client::{Client, WorkflowExecution, WorkflowListOptions, errors::ClientError};

use super::{error::LifecycleError, handle::Lifecycle, list::account_query};

/// How many results are read at once.
const CONCURRENCY: usize = 4;

/// A lifecycle that completed.
pub(crate) struct CompletedLifecycle {
    /// Task id.
    pub(crate) task_id: String,
    /// When it completed, by the server's clock.
    pub(crate) closed_at: Option<SystemTime>,
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
    let mut query = account_query(account, task_queue, "Completed");
    if let Some(time) = closed_after.and_then(|time| Timestamp::try_from(time).ok()) {
        query += &format!(" AND CloseTime > '{time:.3}'");
    }
    let options = WorkflowListOptions::builder().limit(limit).build();
    let completed = |execution: WorkflowExecution| {
        Some(CompletedLifecycle {
            task_id: execution.id().strip_prefix(&prefix)?.to_owned(),
            closed_at: execution.close_time(),
            run_id: execution.run_id().to_owned(),
        })
    };
    client
        .list_workflows(query, options)
        .try_filter_map(async |execution| Ok(completed(execution)))
        .try_collect()
        .await
}

/// Reads the results of lifecycles, in their order.
pub(crate) fn results(
    client: &Client,
    account: &str,
    lifecycles: Vec<CompletedLifecycle>,
) -> impl Stream<Item = Result<VideoTaskLifecycleResult, LifecycleError>> {
    let handle =
        |it: CompletedLifecycle| Lifecycle::for_run(client, account, &it.task_id, &it.run_id);
    let handles: Vec<_> = lifecycles.into_iter().map(handle).collect();
    futures::stream::iter(handles)
        .map(async |lifecycle: Lifecycle| lifecycle.result().await)
        .buffered(CONCURRENCY)
}
