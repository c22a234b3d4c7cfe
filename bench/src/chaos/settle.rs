//! Waits until every lifecycle has closed.

use std::{collections::BTreeMap, time::Duration};

use futures::{StreamExt, stream};
use seedance_archiver_proto::names;
use temporalio_client::{
    Client, UntypedWorkflow, WorkflowDescribeOptions, WorkflowExecutionStatus,
};
use tokio::time::Instant;

use super::{callers, plan::Trigger, world::Task};
use crate::output;

const INTERVAL: Duration = Duration::from_secs(2);
const PRINT_INTERVAL: Duration = Duration::from_secs(20);
const CONCURRENCY: usize = 8;
/// The server may be broken for good.
const CALL_TIMEOUT: Duration = Duration::from_secs(10);

/// Waits until the workflows of all tasks have closed, for at most `patience`. The checker finds those that have not.
pub(super) async fn wait(
    client: &Client,
    tasks: &[Task],
    patience: Duration,
) -> anyhow::Result<()> {
    let start = Instant::now();
    let mut printed = start;
    let mut open: BTreeMap<_, _> = tasks.iter().map(|task| (task.id.clone(), task)).collect();
    loop {
        let looks = stream::iter(open.values().copied().cloned().collect::<Vec<_>>())
            .map(async |task| (has_ended(client, &task).await, task.id))
            .buffer_unordered(CONCURRENCY)
            .collect::<Vec<_>>();
        for (has_ended, id) in looks.await {
            if has_ended {
                open.remove(&id);
            }
        }
        let waited = start.elapsed();
        if open.is_empty() || waited > patience {
            return Ok(());
        }
        if printed.elapsed() > PRINT_INTERVAL {
            printed = Instant::now();
            let (open, waited) = (open.len(), waited.as_secs());
            output::print(&format!(
                "{open} lifecycles are open, {waited} s after the last fault\n"
            ))?;
        }
        tokio::time::sleep(INTERVAL).await;
    }
}

/// Returns whether the lifecycle of a task, and its caller, have closed.
async fn has_ended(client: &Client, task: &Task) -> bool {
    let account = task.video.account().name();
    let lifecycle = names::lifecycle_workflow_id(account, &task.id);
    if !is_closed(client, &lifecycle).await {
        return false;
    }
    match task.video.trigger {
        Trigger::Call => is_closed(client, &callers::workflow_id(&task.id)).await,
        Trigger::Nobody => true,
    }
}

/// Returns whether a workflow exists and has closed.
async fn is_closed(client: &Client, workflow_id: &str) -> bool {
    let handle = client.get_workflow_handle::<UntypedWorkflow>(workflow_id);
    let description = handle.describe(WorkflowDescribeOptions::default());
    match tokio::time::timeout(CALL_TIMEOUT, description).await {
        Ok(Ok(it)) => it.status() != WorkflowExecutionStatus::Running,
        Ok(Err(_)) | Err(_) => false,
    }
}
