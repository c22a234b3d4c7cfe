//! A thousand callers that wait at the same time. They hold no slot of the worker.

use std::sync::Arc;

use anyhow::ensure;
use futures::{StreamExt, TryStreamExt, stream};
use seedance_archiver_proto::v1::VideoTaskLifecycleResult;
use seedance_archiver_simulator::Script;

use super::answered;
use crate::{
    harness::{
        Fixture, HOUR, Server, nexus,
        nexus::{NexusCall, Operation, with_callers},
        register, until_async,
    },
    nexus::request,
    operations::process::WorkerProcess,
};

/// Number of tasks, each with a lifecycle.
const TASKS: usize = 40;
/// Number of callers of each task, fewer than the 32 callbacks that a server allows for a workflow by default.
const CALLERS: usize = 25;
/// Maximum number of slots that watchers hold.
const WATCHER_SLOTS: f64 = 6.0;
/// Number of concurrent calls to the server.
const CONCURRENCY: usize = 16;

async fn a_thousand_waiting_callers_hold_no_slot(server: Arc<Server>) -> anyhow::Result<()> {
    let server = server.with_new_namespace().await?;
    let fixture = Fixture::new(&server).await?;
    let endpoint = nexus::create_endpoint(&server, &fixture).await?;
    let running = || Script {
        running: Some(HOUR),
        ..Script::default()
    };
    let worker = WorkerProcess::start(&fixture, &server, &[])?;
    worker.wait_for_log("polling for Nexus requests").await?;
    let memory_before = memory(&worker);
    with_callers(&server, async {
        let operation = || Operation::new(&endpoint, "AwaitVideoTask");
        let mut calls = Vec::new();
        for _ in 0..TASKS {
            let id = fixture.simulator.create(running());
            let awaited = request(&id);
            let started: Vec<_> = stream::iter(0..CALLERS)
                .map(|_| NexusCall::send(&server, operation(), &awaited))
                .buffer_unordered(CONCURRENCY)
                .try_collect()
                .await?;
            calls.extend(started);
            let enough = calls.len() as f64;
            until_async("the requests are answered", || async {
                Ok(answered(&worker).await? >= enough)
            })
            .await?;
        }
        until_async("no slot is held for a caller", || async {
            let (_, metrics) = worker.get("/metrics").await?;
            let [activities, workflows] = ["ActivityWorker", "WorkflowWorker"]
                .map(|worker_type| slots_used(&metrics, worker_type));
            Ok(activities? <= WATCHER_SLOTS && workflows? == 0.0)
        })
        .await?;
        eprintln!(
            "{} callers wait: the worker has {}, and had {memory_before} before",
            calls.len(),
            memory(&worker)
        );
        // Another task is archived meanwhile.
        let id = fixture.simulator.create(Script::default());
        let another = NexusCall::send(&server, operation(), &request(&id)).await?;
        let result: VideoTaskLifecycleResult = another.ending().await?.completed()?;
        ensure!(result.outcome == "archived", "{result:?}");

        fixture.advance_clock(HOUR).await;
        let endings: Vec<_> = stream::iter(&calls)
            .map(NexusCall::ending)
            .buffer_unordered(CONCURRENCY)
            .try_collect()
            .await?;
        for ending in endings {
            let result: VideoTaskLifecycleResult = ending.completed()?;
            ensure!(result.outcome == "archived", "{result:?}");
        }
        Ok(())
    })
    .await
}
register!(a_thousand_waiting_callers_hold_no_slot, takes_long);

/// Returns the number of used slots of a kind on all task queues.
fn slots_used(metrics: &str, worker_type: &str) -> anyhow::Result<f64> {
    let label = format!("worker_type=\"{worker_type}\"");
    let series = metrics.lines().filter(|line| {
        line.starts_with("temporal_worker_task_slots_used{") && line.contains(&label)
    });
    let values: Vec<f64> = series
        .filter_map(|line| line.rsplit(' ').next()?.parse().ok())
        .collect();
    ensure!(!values.is_empty(), "no slots of {worker_type}:\n{metrics}");
    Ok(values.iter().sum())
}

/// Returns the resident memory of a worker, which only Linux has in a file.
fn memory(worker: &WorkerProcess) -> String {
    let status = worker
        .id()
        .map(|id| std::fs::read_to_string(format!("/proc/{id}/status")));
    let Ok(Ok(status)) = status else {
        return "unknown memory".into();
    };
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.unwrap_or_default().trim().into()
}
