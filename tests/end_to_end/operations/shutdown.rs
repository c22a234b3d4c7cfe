//! Shutdown of a worker during a transfer.

use std::sync::Arc;

use anyhow::{Context, ensure};
use rustix::process::Signal;
use seedance_archiver::temporal::lifecycles::Lifecycle;
use seedance_archiver_simulator::Script;

use super::process::WorkerProcess;
use crate::harness::{
    Fixture, Server,
    attempts::ensure_attempts,
    deliveries::Delivery,
    heartbeat::heartbeat,
    minio::Minio,
    receiver::{KEY, Receiver},
    register, tools, until, until_async,
};

/// Size of the video: 8 parts.
const SIZE: u64 = 40 * 1024 * 1024;
/// Number of bytes after which the transfer pauses, so that a worker can be stopped.
const HOLD_AT: u64 = SIZE * 7 / 8;

/// Returns the script of a task whose transfer pauses.
fn held_download() -> Script {
    Script {
        bytes: Some(SIZE),
        hold_at: Some(HOLD_AT),
        // A checkpoint follows a part that is stored when the next one is complete.
        bytes_per_second: Some(SIZE / 8),
        ..Script::default()
    }
}

/// Starts a worker and waits until it transfers a video. Returns the worker, the task id and the lifecycle.
async fn worker_with_transfer(
    fixture: &Fixture,
    server: &Server,
    grace: &str,
) -> anyhow::Result<(WorkerProcess, String, Lifecycle)> {
    let id = fixture.simulator.create(held_download());
    let worker = WorkerProcess::start(fixture, server, &[("SEEDANCE_GRACE_PERIOD", grace)])?;
    let lifecycle = fixture.start_lifecycle(server, &id).await?;
    let sent = || fixture.simulator.stats(&id).bytes_sent;
    until("the transfer has started", || sent() == HOLD_AT).await?;
    Ok((worker, id, lifecycle))
}

/// The activity's completion must reach the server although the worker has stopped polling.
async fn a_transfer_finishes_within_the_grace_period(server: Arc<Server>) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let (mut worker, id, lifecycle) = worker_with_transfer(&fixture, &server, "10m").await?;
    worker.send_signal(Signal::TERM)?;
    worker.wait_for_log("shutdown requested: draining").await?;
    ensure!(worker.get("/readyz").await? == (503, "draining\n".to_owned()));
    ensure!(
        worker.get("/livez").await?.0 == 200,
        "the worker does not report itself as alive"
    );
    fixture.simulator.release(&id);
    let status = worker.wait_for_exit().await?;
    ensure!(status.code() == Some(0), "{status}");
    let receipt = fixture
        .receipt_path(&id)
        .context("the transfer was not finished")?;

    // Another worker completes the workflow. The activity has already completed.
    let result = fixture
        .with_worker(&server, async { Ok(lifecycle.result().await?) })
        .await?;
    let manifest = result.manifest.context("no receipt")?;
    ensure_attempts(&server, &manifest, 1..=1).await?;
    ensure!(manifest.manifest_url.ends_with(&receipt), "{manifest:?}");
    ensure!(
        fixture.simulator.stats(&id).downloads == 1,
        "the video was downloaded again"
    );
    fixture.assert_archived(&id, &manifest)
}
register!(a_transfer_finishes_within_the_grace_period);

async fn another_worker_resumes_a_transfer_after_the_grace_period(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let minio = Minio::start(tools::minio()?).await?;
    let bucket = minio.new_bucket("drained")?;
    let fixture = Fixture::new(&server).await?;
    let id = fixture.simulator.create(held_download());
    let mut variables = bucket.environment();
    variables.push(("SEEDANCE_GRACE_PERIOD", "200ms"));
    let mut first = WorkerProcess::start(&fixture, &server, &variables)?;
    let lifecycle = fixture.start_lifecycle(&server, &id).await?;
    let sent = || fixture.simulator.stats(&id).bytes_sent;
    until_async("the heartbeat contains a checkpoint", || async {
        let heartbeat = heartbeat(&server, "", &id).await?;
        Ok(sent() == HOLD_AT && !heartbeat["place"]["checkpoint"].is_null())
    })
    .await?;
    let status = first.stop().await?;
    ensure!(status.code() == Some(0), "{status}");
    let sent_before = sent();
    fixture.release_stopped_download(&id).await?;

    let _second = WorkerProcess::start(&fixture, &server, &bucket.environment())?;
    let result = lifecycle.result().await?;
    ensure!(result.outcome == "archived", "{result:?}");
    let sent_again = sent().saturating_sub(SIZE);
    ensure!(
        sent_again < sent_before,
        "{sent_again} bytes were downloaded again"
    );
    let manifest = result.manifest.context("no receipt")?;
    let video = manifest.objects.first().context("no object")?;
    let served = fixture.simulator.source(&id).context("no source")?.bytes();
    ensure!(
        bucket.read(&video.url).await? == served,
        "the archived bytes differ from the served ones"
    );
    Ok(())
}
register!(
    another_worker_resumes_a_transfer_after_the_grace_period,
    needs = [minio]
);

/// The receiver of an event does not respond when the worker is stopped.
async fn a_request_without_a_response_is_left_to_another_worker(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let receiver = Receiver::start()?;
    receiver.hold(true);
    let url = receiver.url();
    let variables = [
        ("SEEDANCE_WEBHOOK_URL", url.as_str()),
        ("SEEDANCE_WEBHOOK_KEY", KEY),
        ("SEEDANCE_GRACE_PERIOD", "200ms"),
    ];
    let fixture = Fixture::new(&server).await?;
    let id = fixture.simulator.create(Script::default());
    let mut first = WorkerProcess::start(&fixture, &server, &variables)?;
    fixture.start_lifecycle(&server, &id).await?;
    receiver.until_received(1).await?;
    let status = first.stop().await?;
    ensure!(status.code() == Some(0), "{status}");
    let delivery = Delivery::about(&server, &id).await?;
    let failure = delivery.last_failure().await?;
    ensure!(failure.contains("the worker shuts down"), "{failure}");

    receiver.hold(false);
    let _second = WorkerProcess::start(&fixture, &server, &variables)?;
    ensure!(delivery.result().await?.status == 204);
    Ok(())
}
register!(a_request_without_a_response_is_left_to_another_worker);

async fn a_second_signal_stops_the_worker_immediately(server: Arc<Server>) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let (mut worker, id, lifecycle) = worker_with_transfer(&fixture, &server, "10m").await?;
    worker.send_signal(Signal::TERM)?;
    worker.wait_for_log("shutdown requested: draining").await?;
    worker.send_signal(Signal::TERM)?;
    let status = worker.wait_for_exit().await?;
    ensure!(status.code() == Some(130), "{status}");
    fixture.release_stopped_download(&id).await?;
    let result = fixture
        .with_worker(&server, async { Ok(lifecycle.result().await?) })
        .await?;
    fixture.assert_archived(&id, &result.manifest.context("no receipt")?)
}
register!(a_second_signal_stops_the_worker_immediately, takes_long);
