//! Waits until every lifecycle and every sweep has closed.

use std::{collections::BTreeMap, time::Duration};

use futures::{StreamExt, TryStreamExt, stream};
use seedance_archiver_proto::names;
use temporalio_client::{
    Client, UntypedWorkflow, WorkflowDescribeOptions, WorkflowExecutionStatus, WorkflowListOptions,
};
use tokio::time::Instant;

use super::{callers, plan::Trigger, world::Task};
use crate::output;

const INTERVAL: Duration = Duration::from_secs(2);
const PRINT_INTERVAL: Duration = Duration::from_secs(20);
const CONCURRENCY: usize = 8;
/// The server may be broken for good.
const CALL_TIMEOUT: Duration = Duration::from_secs(10);

/// Finds the sweeps that run.
const SWEEPS: &str = "WorkflowType = 'SweepVideoTasks' AND ExecutionStatus = 'Running'";

/// Waits until the workflows of all tasks and the sweeps have closed, for at most `patience`. The checker finds those that have
/// not.
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
        let has_ended = open.is_empty() && have_sweeps_ended(client).await;
        if has_ended || waited > patience {
            return Ok(());
        }
        if printed.elapsed() > PRINT_INTERVAL {
            printed = Instant::now();
            let (open, waited) = (open.len(), waited.as_secs());
            output::print(&format!(
                "{open} lifecycles are open, or sweeps run, {waited} s after the last fault\n"
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

async fn have_sweeps_ended(client: &Client) -> bool {
    let sweeps = client.list_workflows(SWEEPS, WorkflowListOptions::default());
    match tokio::time::timeout(CALL_TIMEOUT, sweeps.try_collect::<Vec<_>>()).await {
        Ok(Ok(running)) => running.is_empty(),
        Ok(Err(_)) | Err(_) => false,
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
