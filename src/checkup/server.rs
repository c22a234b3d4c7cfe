//! Checks the Temporal server, and whether workers poll the task queues.

use std::time::{Duration, SystemTime};

use seedance_archiver_clock::Clock;
use seedance_archiver_proto::names;
use seedance_archiver_workflows::format;
use temporalio_client::Client;
use temporalio_common::protos::temporal::api::{
    enums::v1::TaskQueueType, taskqueue::v1::PollerInfo,
};

use super::{CheckResult, namespace};
use crate::temporal::{
    connection::{self, ConnectError},
    pollers::pollers,
};

const NAME: &str = "Temporal";

/// Connects to the server. Returns no client if the connection fails.
pub async fn connect() -> (Option<Client>, CheckResult) {
    let error = match connection::connect_with(None).await {
        Ok((client, address)) => {
            let result = CheckResult::ok(NAME, format!("connected to {address}"));
            return (Some(client), result);
        }
        Err(error) => error,
    };
    let (found, fix) = match &error {
        ConnectError::Unreachable { address, error } => (
            format!("no usable Temporal server at {address}: {error}"),
            "set TEMPORAL_ADDRESS, and TEMPORAL_TLS, TEMPORAL_API_KEY or a client certificate if the server \
             requires them; or start a server with `temporal server start-dev`",
        ),
        error => (
            error.to_string(),
            "correct the TEMPORAL_… variables, or temporal.toml",
        ),
    };
    (None, CheckResult::failed(NAME, found, fix))
}

/// Checks that workers poll both task queues.
pub async fn queues(client: &Client, task_queue: &str) -> Vec<CheckResult> {
    let transfers = names::transfers_task_queue(task_queue);
    let mut findings = Vec::new();
    for (queue, kind) in [
        (task_queue, TaskQueueType::Workflow),
        (&transfers, TaskQueueType::Activity),
    ] {
        findings.push(check_queue(client, queue, kind).await);
    }
    findings
}

/// Returns whether a worker polls the queue of workflows.
pub async fn has_workers(client: &Client, task_queue: &str) -> bool {
    let pollers = pollers(client, task_queue, TaskQueueType::Workflow).await;
    pollers.is_ok_and(|pollers| !pollers.is_empty())
}

/// Checks that workers poll a task queue.
pub(super) async fn check_queue(client: &Client, queue: &str, kind: TaskQueueType) -> CheckResult {
    let name = format!("task queue `{queue}`");
    match pollers(client, queue, kind).await {
        Ok(pollers) if pollers.is_empty() => CheckResult::warning(
            name,
            "no worker has polled it in the last 5 minutes",
            "start a worker with the same TEMPORAL_TASK_QUEUE and TEMPORAL_NAMESPACE: `seedance-archiver \
             worker`",
        ),
        Ok(pollers) => {
            let workers = pollers.len();
            let plural = if workers == 1 { "" } else { "s" };
            let last = pollers.iter().filter_map(since_last_poll).min();
            let last = last.map(|age| format!(", last poll {} ago", format::duration(age)));
            let last = last.unwrap_or_default();
            CheckResult::ok(name, format!("{workers} worker{plural}{last}"))
        }
        Err(status) => namespace::cannot_query(name, &status),
    }
}

fn since_last_poll(poller: &PollerInfo) -> Option<Duration> {
    let time = poller.last_access_time?;
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(time.seconds.unsigned_abs());
    Some(
        Clock::default()
            .now()
            .duration_since(time)
            .unwrap_or_default(),
    )
}
