//! A worker that is asked to stop brings to an end what it can, and hands over the rest.

use std::{path::PathBuf, sync::Arc};

use anyhow::{Context, ensure};
use rustix::process::Signal;
use seedance_archiver::temporal::lifecycles::Lifecycle;
use seedance_archiver_simulator::Script;

use super::process::Process;
use crate::{
    Suite,
    minio::Minio,
    tools,
    world::{Server, World, until},
};

/// Size of the video: 8 parts.
const SIZE: u64 = 40 * 1024 * 1024;
/// So slow that a worker can be stopped in its middle.
const PER_SECOND: u64 = 8 * 1024 * 1024;

pub(crate) fn tests(suite: Suite) -> Suite {
    let (has_minio, minio) = tools::split(tools::minio());
    suite
        .test(
            "operations::a_transfer_ends_within_the_grace_period",
            ends_in_time,
        )
        .test_with(
            "operations::a_transfer_is_handed_over_after_the_grace_period",
            has_minio,
            |server| hands_over(server, minio),
        )
        .test("operations::a_second_signal_ends_it_at_once", second_signal)
}

fn slow() -> Script {
    Script {
        bytes: Some(SIZE),
        bytes_per_second: Some(PER_SECOND),
        ..Script::default()
    }
}

/// A worker that is amid a transfer, with the task and its lifecycle.
async fn amid_a_transfer(
    world: &World,
    server: &Server,
    grace: &str,
) -> anyhow::Result<(Process, String, Lifecycle)> {
    let id = world.simulator.create(slow());
    let worker = Process::worker(world, server, &[("SEEDANCE_GRACE_PERIOD", grace)])?;
    let lifecycle = world.start(server, &id).await?;
    let sent = || world.simulator.stats(&id).bytes_sent;
    until("the transfer is under way", || sent() > SIZE / 4).await?;
    Ok((worker, id, lifecycle))
}

/// Its completion must reach the server although the worker polls no more.
async fn ends_in_time(server: Arc<Server>) -> anyhow::Result<()> {
    let world = World::new(&server).await?;
    let (mut worker, id, lifecycle) = amid_a_transfer(&world, &server, "50s").await?;
    worker.signal(Signal::TERM)?;
    worker.says("shutdown requested: draining").await?;
    ensure!(worker.get("/readyz").await? == (503, "draining\n".to_owned()));
    ensure!(worker.get("/livez").await?.0 == 200, "it is not alive");
    let status = worker.ended().await?;
    ensure!(status.code() == Some(0), "{status}");
    let receipt = world.receipt_of(&id).context("the transfer was cut off")?;

    // The workflow is for another worker to end; the activity is done.
    let result = world
        .with_worker(&server, async { Ok(lifecycle.result().await?) })
        .await?;
    let manifest = result.manifest.context("no receipt")?;
    ensure!(
        manifest.attempts == 1,
        "the completion was lost: {manifest:?}"
    );
    ensure!(manifest.manifest_url.ends_with(&receipt), "{manifest:?}");
    ensure!(world.simulator.stats(&id).downloads == 1, "fetched again");
    world.holds_exactly(&id, &manifest)
}

async fn hands_over(server: Arc<Server>, minio: PathBuf) -> anyhow::Result<()> {
    let minio = Minio::start(minio).await?;
    let bucket = minio.bucket("drained")?;
    let world = World::new(&server).await?;
    let id = world.simulator.create(slow());
    let mut variables = bucket.environment();
    variables.push(("SEEDANCE_GRACE_PERIOD", "200ms"));
    let mut first = Process::worker(&world, &server, &variables)?;
    let lifecycle = world.start(&server, &id).await?;
    let sent = || world.simulator.stats(&id).bytes_sent;
    until("parts are stored", || sent() > SIZE / 2).await?;
    let status = first.stop().await?;
    ensure!(status.code() == Some(0), "{status}");
    let sent_by_then = sent();
    ensure!(sent_by_then < SIZE, "it was over before");

    let _second = Process::worker(&world, &server, &bucket.environment())?;
    let result = lifecycle.result().await?;
    ensure!(result.outcome == "archived", "{result:?}");
    let again = sent().saturating_sub(SIZE);
    ensure!(again < sent_by_then / 2, "{again} bytes were fetched again");
    let manifest = result.manifest.context("no receipt")?;
    let video = manifest.objects.first().context("no object")?;
    let served = world.simulator.source(&id).context("no source")?.bytes();
    ensure!(bucket.read(&video.url).await? == served, "other bytes");
    Ok(())
}

async fn second_signal(server: Arc<Server>) -> anyhow::Result<()> {
    let world = World::new(&server).await?;
    let (mut worker, id, lifecycle) = amid_a_transfer(&world, &server, "10m").await?;
    worker.signal(Signal::TERM)?;
    worker.says("shutdown requested: draining").await?;
    worker.signal(Signal::TERM)?;
    let status = worker.ended().await?;
    ensure!(status.code() == Some(130), "{status}");
    let sent = world.simulator.stats(&id).bytes_sent;
    ensure!(sent < SIZE, "it was not at once");

    let result = world
        .with_worker(&server, async { Ok(lifecycle.result().await?) })
        .await?;
    world.holds_exactly(&id, &result.manifest.context("no receipt")?)
}
