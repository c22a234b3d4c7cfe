//! The histories of a whole run of the tests, which go through every path that a test goes through.

use std::time::SystemTime;

use anyhow::{Context, bail, ensure};
use futures::TryStreamExt;
use jiff::Timestamp;
use seedance_archiver_proto::names::{GENERATE_WORKFLOW, LIFECYCLE_WORKFLOW, SUBMISSION_WORKFLOW};
use serde_json::Value;
use temporalio_client::{
    WorkflowExecution, WorkflowExecutionInfo, WorkflowFetchHistoryOptions, WorkflowHandle,
    WorkflowListOptions,
};

use super::{record::Recording, replay, shape};
use crate::harness::Server;

/// Encodings that the replay reads. A worker with a codec writes others, even if its caller has none.
const ENCODINGS: [&str; 4] = [
    "json/plain",
    "json/protobuf",
    "binary/protobuf",
    "binary/null",
];

/// Replays the history of every workflow of the program that closed since the run started, on the shared server. With
/// `RECORD_HISTORIES=v0.2.0`, also writes one of each shape below `tests/histories`.
pub(crate) async fn replay_all(server: &Server, started_at: SystemTime) -> anyhow::Result<usize> {
    let mut recording = Recording::from_environment();
    let (mut count, mut failures) = (0, Vec::new());
    for execution in closed(server, started_at).await? {
        let json = history(server, &execution).await?;
        let history: Value = serde_json::from_slice(&json)?;
        let encodings = shape::encodings(&history);
        if !encodings.iter().all(|it| ENCODINGS.contains(&it.as_str())) {
            continue;
        }
        count += 1;
        if let Err(error) = replay(&json).await {
            failures.push(format!(
                "{} {}: {error:#}",
                execution.id(),
                shape::name(&history)
            ));
        }
        if let Some(recording) = &mut recording {
            recording.add(shape::name(&history), shape::shape(&history), history);
        }
    }
    ensure!(count > 0, "no workflow of this run has closed");
    if !failures.is_empty() {
        bail!(
            "histories of this run do not replay:\n{}",
            failures.join("\n")
        );
    }
    if let Some(recording) = recording {
        recording.write()?;
    }
    Ok(count)
}

async fn closed(server: &Server, started_at: SystemTime) -> anyhow::Result<Vec<WorkflowExecution>> {
    let query = format!(
        "WorkflowType IN ('{LIFECYCLE_WORKFLOW}', 'SweepVideoTasks', 'AccountWatcher', 'AuditArchive', 'DeliverEvent', \
         '{GENERATE_WORKFLOW}', '{SUBMISSION_WORKFLOW}', 'VideoTaskClaim') AND ExecutionStatus != 'Running' AND \
         StartTime >= '{:.3}'",
        Timestamp::try_from(started_at)?
    );
    let options = WorkflowListOptions::default();
    let executions = server.client.list_workflows(query, options).try_collect();
    executions
        .await
        .context("cannot list the workflows of this run")
}

async fn history(server: &Server, execution: &WorkflowExecution) -> anyhow::Result<Vec<u8>> {
    let info = WorkflowExecutionInfo::builder()
        .namespace(server.client.options().namespace.as_str())
        .workflow_id(execution.id())
        .run_id(execution.run_id())
        .build();
    let workflow: WorkflowHandle<_, temporalio_client::UntypedWorkflow> =
        WorkflowHandle::new(server.client.clone(), info);
    let history = workflow.fetch_history(WorkflowFetchHistoryOptions::default());
    Ok(history.to_json().await?)
}
