//! The histories of a whole run of the tests, which go through every path that a test goes through.

use std::{collections::BTreeSet, time::SystemTime};

use anyhow::{Context, bail, ensure};
use futures::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use seedance_archiver_proto::names::{GENERATE_WORKFLOW, LIFECYCLE_WORKFLOW, SUBMISSION_WORKFLOW};
use serde_json::Value;
use temporalio_client::{
    Client, WorkflowExecution, WorkflowExecutionInfo, WorkflowFetchHistoryOptions, WorkflowHandle,
    WorkflowListOptions,
};

use super::{
    record::{self, Recording},
    recorded::Steps,
    replay,
};
use crate::{harness::Server, workflow_path::decoded};

/// Encodings that the replay reads. A worker with a codec writes others, even if its caller has none.
const ENCODINGS: [&str; 4] = [
    "json/plain",
    "json/protobuf",
    "binary/protobuf",
    "binary/null",
];
/// Maximum number of histories that are fetched concurrently.
const CONCURRENT_FETCHES: usize = 8;

/// Replays the history of every workflow of the program that closed since the run started, on the shared server and in the
/// namespaces that tests created there. Then each step must be in a recorded history. With `RECORD_HISTORIES=v0.2.0`, writes
/// a history of each path that has no file below `tests/histories` instead.
pub(crate) async fn replay_all(server: &Server, started_at: SystemTime) -> anyhow::Result<usize> {
    let mut recording = Recording::from_environment();
    let (mut count, mut failures) = (0, Vec::new());
    let mut steps = Steps::default();
    let closed = closed(server, started_at).await?;
    // Fetched by other threads, while this one replays.
    let fetched = closed.into_iter().map(|(client, execution)| {
        tokio::spawn(async move {
            let json = history(&client, &execution).await?;
            anyhow::Ok((execution, json))
        })
    });
    let mut fetched = stream::iter(fetched).buffered(CONCURRENT_FETCHES);
    while let Some(fetched) = fetched.next().await {
        let (execution, json) = fetched??;
        let history: Value = serde_json::from_slice(&json)?;
        let mut encodings = encodings(&history).into_iter();
        if !encodings.all(|it| ENCODINGS.contains(&it.as_str())) {
            continue;
        }
        count += 1;
        if let Err(error) = replay(&json).await {
            failures.push(format!(
                "{} {}: {error:#}",
                execution.id(),
                record::name(&history)
            ));
        }
        match &mut recording {
            Some(recording) => recording.add(history),
            None => steps.add(&history),
        }
    }
    ensure!(count > 0, "no workflow of this run has closed");
    if !failures.is_empty() {
        bail!(
            "histories of this run do not replay:\n{}",
            failures.join("\n")
        );
    }
    match recording {
        Some(recording) => recording.write()?,
        None => steps.ensure_recorded()?,
    }
    Ok(count)
}

/// Returns the workflows that closed, each with a client for its namespace.
async fn closed(
    server: &Server,
    started_at: SystemTime,
) -> anyhow::Result<Vec<(Client, WorkflowExecution)>> {
    let query = format!(
        "WorkflowType IN ('{LIFECYCLE_WORKFLOW}', 'SweepVideoTasks', 'AccountWatcher', 'AuditArchive', 'DeliverEvent', \
         '{GENERATE_WORKFLOW}', '{SUBMISSION_WORKFLOW}', 'VideoTaskClaim') AND ExecutionStatus != 'Running' AND \
         StartTime >= '{:.3}'",
        Timestamp::try_from(started_at)?
    );
    let mut closed = Vec::new();
    for client in server.clients() {
        let executions = client.list_workflows(query.clone(), WorkflowListOptions::default());
        let executions: Vec<_> = executions
            .try_collect()
            .await
            .context("cannot list the workflows of this run")?;
        closed.extend(executions.into_iter().map(|it| (client.clone(), it)));
    }
    Ok(closed)
}

async fn history(client: &Client, execution: &WorkflowExecution) -> anyhow::Result<Vec<u8>> {
    let info = WorkflowExecutionInfo::builder()
        .namespace(client.options().namespace.as_str())
        .workflow_id(execution.id())
        .run_id(execution.run_id())
        .build();
    let workflow: WorkflowHandle<_, temporalio_client::UntypedWorkflow> =
        WorkflowHandle::new(client.clone(), info);
    let history = workflow.fetch_history(WorkflowFetchHistoryOptions::default());
    Ok(history.to_json().await?)
}

/// Returns the encodings of all payloads of a history.
fn encodings(history: &Value) -> BTreeSet<String> {
    let mut encodings = BTreeSet::new();
    let mut values = vec![history];
    while let Some(value) = values.pop() {
        match value {
            Value::Array(items) => values.extend(items),
            Value::Object(fields) => values.extend(fields.values()),
            _ => {}
        }
        encodings.extend(decoded(&value["metadata"]["encoding"]));
    }
    encodings
}
