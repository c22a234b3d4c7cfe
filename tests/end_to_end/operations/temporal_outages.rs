//! A Temporal server or a namespace that is missing, at the start of a worker or later.

use std::sync::Arc;

use anyhow::{Context, ensure};
use seedance_archiver::temporal::search_attributes;
use seedance_archiver_simulator::Script;

use super::{process::WorkerProcess, upgrades};
use crate::harness::{Fixture, Server, register, restartable_server::RestartableServer};

/// The log event of a worker that waits for Temporal.
const WAITING: &str = "waiting for Temporal";
/// The body of `/readyz` meanwhile.
const NOT_READY: &str = "waiting for Temporal";

async fn a_worker_without_a_temporal_server_exits(server: Arc<Server>) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let unreachable = server.at("127.0.0.1:1".to_owned())?;
    let mut worker = WorkerProcess::start(&fixture, &unreachable, &[])?;
    let waiting = worker.wait_for_log(WAITING).await?;
    let error = waiting["error"].as_str().unwrap_or_default();
    ensure!(error.contains("http://127.0.0.1:1/"), "{waiting}");
    let status = worker.wait_for_exit().await?;
    ensure!(status.code() == Some(1), "{status}");
    let log = worker.log().join("\n");
    ensure!(
        log.contains("cannot reach Temporal at `http://127.0.0.1:1/`"),
        "{log}"
    );
    ensure!(log.contains("set TEMPORAL_ADDRESS"), "{log}");
    Ok(())
}
register!(a_worker_without_a_temporal_server_exits, takes_long);

async fn a_worker_with_a_missing_namespace_exits(server: Arc<Server>) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let wrong = ("TEMPORAL_NAMESPACE", "nowhere");
    let mut worker = WorkerProcess::start(&fixture, &server, &[wrong])?;
    let status = worker.wait_for_exit().await?;
    ensure!(status.code() == Some(1), "{status}");
    let log = worker.log().join("\n");
    let line = "namespace `nowhere` does not exist on this server: run `seedance-archiver setup`";
    ensure!(log.contains(line), "{log}");
    ensure!(!log.contains("listening"), "{log}");
    Ok(())
}
register!(a_worker_with_a_missing_namespace_exits, takes_long);

async fn a_worker_starts_when_its_namespace_is_created(server: Arc<Server>) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let name = server.unique_name("created-later");
    let variables = [("TEMPORAL_NAMESPACE", name.as_str())];
    let worker = WorkerProcess::start(&fixture, &server, &variables)?;
    let waiting = worker.wait_for_log(WAITING).await?;
    let error = waiting["error"].as_str().unwrap_or_default();
    ensure!(error.contains("does not exist"), "{waiting}");
    let server = server.with_namespace(&name).await?;
    check_that_it_archives(&fixture, &server, &worker).await
}
register!(a_worker_starts_when_its_namespace_is_created, takes_long);

/// Uses its own Temporal server, because an outage of the shared one would disturb other tests.
async fn a_worker_waits_until_temporal_returns(_: Arc<Server>) -> anyhow::Result<()> {
    let mut temporal = RestartableServer::start().await?;
    let server = Server::new(temporal.client().await?, temporal.address.clone(), None)?;
    let fixture = Fixture::new(&server).await?;
    let mut worker = WorkerProcess::start(&fixture, &server, &[])?;
    worker.wait_for_readiness("polling").await?;
    temporal.kill().await?;
    let waiting = worker.wait_for_log(WAITING).await?;
    ensure!(waiting["error"].is_string(), "{waiting}");
    worker.wait_for_readiness(NOT_READY).await?;
    ensure!(worker.get("/livez").await?.0 == 200, "not alive");

    temporal.start_again()?;
    let server = Server::new(temporal.client().await?, temporal.address.clone(), None)?;
    worker.wait_for_readiness("polling").await?;
    check_that_it_archives(&fixture, &server, &worker).await?;
    ensure!(worker.stop().await?.code() == Some(0), "the worker failed");
    Ok(())
}
register!(a_worker_waits_until_temporal_returns, takes_long);

async fn a_worker_waits_until_its_namespace_is_created_again(_: Arc<Server>) -> anyhow::Result<()> {
    check_that_a_lost_namespace_is_survived(None).await
}
register!(
    a_worker_waits_until_its_namespace_is_created_again,
    takes_long
);

async fn a_versioned_worker_waits_until_its_namespace_is_created_again(
    _: Arc<Server>,
) -> anyhow::Result<()> {
    check_that_a_lost_namespace_is_survived(Some("v1")).await
}
register!(
    a_versioned_worker_waits_until_its_namespace_is_created_again,
    takes_long
);

/// Replaces the database of a Temporal server by an empty one while a worker polls a namespace in it. The SDK retries
/// polls of a missing namespace for a minute, and then stops.
async fn check_that_a_lost_namespace_is_survived(build_id: Option<&str>) -> anyhow::Result<()> {
    const NAMESPACE: &str = "videos";
    let mut temporal = RestartableServer::start().await?;
    let server = Server::new(temporal.client().await?, temporal.address.clone(), None)?;
    let server = server.with_namespace(NAMESPACE).await?;
    let fixture = Fixture::new(&server).await?;
    let variables: Vec<_> = build_id
        .iter()
        .flat_map(|build_id| upgrades::version(&fixture, build_id))
        .collect();
    let mut worker = WorkerProcess::start(&fixture, &server, &variables)?;
    worker.wait_for_readiness("polling").await?;
    temporal.kill().await?;
    temporal.start_empty()?;
    let server = Server::new(temporal.client().await?, temporal.address.clone(), None)?;
    for task_queue in ["", "-transfers"] {
        let task_queue = format!("{}{task_queue}", fixture.config.task_queue);
        worker
            .wait_for_log_with(
                "stopped polling; will start again",
                "task_queue",
                &task_queue,
            )
            .await?;
    }
    worker.wait_for_readiness(NOT_READY).await?;
    ensure!(worker.get("/livez").await?.0 == 200, "not alive");

    let server = server.with_namespace(NAMESPACE).await?;
    worker.wait_for_readiness("polling").await?;
    if let Some(build_id) = build_id {
        upgrades::make_current(&server, &fixture, build_id).await?;
    }
    let missing = search_attributes::missing(&server.client).await?;
    ensure!(missing.is_empty(), "not registered again: {missing:?}");
    check_that_it_archives(&fixture, &server, &worker).await?;
    ensure!(worker.stop().await?.code() == Some(0), "the worker failed");
    Ok(())
}

/// Checks that the only worker of a fixture archives a new video.
async fn check_that_it_archives(
    fixture: &Fixture,
    server: &Server,
    worker: &WorkerProcess,
) -> anyhow::Result<()> {
    let id = fixture.simulator.create(Script::default());
    let lifecycle = fixture.start_lifecycle(server, &id).await?;
    let result = lifecycle
        .result()
        .await
        .with_context(|| worker.log().join("\n"))?;
    ensure!(result.outcome == "archived", "{result:?}");
    fixture.assert_archived(&id, &result.manifest.context("no receipt")?)
}
