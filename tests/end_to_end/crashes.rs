//! Workers that die.

use std::{path::PathBuf, sync::Arc};

use anyhow::{Context, ensure};
use futures::future::try_join_all;
use seedance_archiver::archive::PART_SIZE;
use seedance_archiver_proto::v1::Manifest;
use seedance_archiver_simulator::Script;
use temporalio_client::WorkflowCancelOptions;

use crate::{
    Suite,
    minio::{Bucket, Minio},
    tools,
    world::{Server, World, command, until},
};

/// Size of the video: 8 parts.
const SIZE: u64 = 40 * 1024 * 1024;
/// Points at which a worker is killed, spread over the transfer.
const POINTS: u64 = 10;
/// So slow that a worker can be killed at each, and that ten of them keep up on a machine with other work.
const PER_SECOND: u64 = 2 * 1024 * 1024;

pub(crate) fn tests(suite: Suite) -> Suite {
    let (has_minio, minio) = tools::split(tools::minio());
    let for_cancel = minio.clone();
    suite
        .test(
            "crashes::another_worker_finishes_what_a_killed_one_began",
            killed_mid_download,
        )
        .test_with(
            "crashes::another_worker_goes_on_where_a_killed_one_was",
            has_minio,
            |server| killed_at_every_point(server, minio),
        )
        .test_with(
            "crashes::a_cancelled_transfer_leaves_no_upload",
            tools::split(tools::minio()).0,
            |server| cancelled_mid_upload(server, for_cancel),
        )
}

async fn killed_mid_download(server: Arc<Server>) -> anyhow::Result<()> {
    let world = World::new(&server).await?;
    let id = world.simulator.create(Script {
        bytes: Some(20_000_000),
        bytes_per_second: Some(5_000_000),
        ..Script::default()
    });
    let mut first = world.spawn_worker(&server)?;
    let lifecycle = world.start(&server, &id).await?;
    let sent = || world.simulator.stats(&id).bytes_sent;
    until("the download is under way", || sent() > 5_000_000).await?;
    first.kill().await?;
    ensure!(
        sent() < 20_000_000,
        "the download was over before the worker was killed"
    );

    let result = world
        .with_worker(&server, async { Ok(lifecycle.result().await?) })
        .await?;
    ensure!(result.outcome == "archived", "{result:?}");
    let manifest = result.manifest.context("no receipt")?;
    ensure!(
        world.simulator.stats(&id).downloads == 2,
        "{:?}",
        world.simulator.stats(&id)
    );
    world.holds_exactly(&id, &manifest)
}

async fn killed_at_every_point(server: Arc<Server>, minio: PathBuf) -> anyhow::Result<()> {
    let minio = Minio::start(minio).await?;
    // A dead worker is missed after 20 s: all points at once, each with workers of its own.
    let points = (0..POINTS).map(|point| killed_at(&server, &minio, point));
    let killed = try_join_all(points).await?;
    let went_on = |it: &&Killed| it.fetched_again + PART_SIZE as u64 / 2 < it.sent;
    let resumed = killed.iter().filter(went_on).count();
    // Before the first part is stored and told, there is nothing to go on with.
    ensure!(resumed >= 6, "only {resumed} went on: {killed:?}");
    Ok(())
}

/// A worker that was killed.
#[derive(Debug)]
struct Killed {
    /// Bytes that it had been sent.
    sent: u64,
    /// Bytes that another had to fetch again.
    fetched_again: u64,
}

/// Kills a worker at one point of a transfer, which another then ends.
async fn killed_at(server: &Server, minio: &Minio, point: u64) -> anyhow::Result<Killed> {
    let world = World::new(server).await?;
    let bucket = minio.bucket(&format!("point-{point}"))?;
    let id = world.simulator.create(Script {
        bytes: Some(SIZE),
        bytes_per_second: Some(PER_SECOND),
        ..Script::default()
    });
    let mut first = world.spawn_worker_with(server, &bucket.environment())?;
    let lifecycle = world.start(server, &id).await?;
    let sent = || world.simulator.stats(&id).bytes_sent;
    let kill_at = SIZE * (point + 1) / (POINTS + 1);
    until("the point is reached", || sent() > kill_at).await?;
    first.kill().await?;
    let sent_by_then = sent();
    ensure!(bucket.keys().await?.len() == 1, "a final key too early");

    let _second = world.spawn_worker_with(server, &bucket.environment())?;
    let result = lifecycle.result().await?;
    ensure!(result.outcome == "archived", "{result:?}");
    let manifest = result.manifest.context("no receipt")?;
    holds_exactly(&world, &bucket, &id, &manifest).await?;
    Ok(Killed {
        sent: sent_by_then,
        fetched_again: sent().saturating_sub(SIZE),
    })
}

async fn holds_exactly(
    world: &World,
    bucket: &Bucket,
    id: &str,
    manifest: &Manifest,
) -> anyhow::Result<()> {
    let keys = bucket.keys().await?;
    ensure!(keys.len() == 3, "{keys:?}");
    let served = world.simulator.source(id).context("no source")?.bytes();
    let video = manifest.objects.first().context("no object")?;
    ensure!(bucket.read(&video.url).await? == served, "other bytes");
    let stored: Manifest = serde_json::from_slice(&bucket.read(&manifest.manifest_url).await?)?;
    ensure!(stored == *manifest, "{stored:?}");
    ensure!(open_uploads(bucket, &video.url).await? == 0, "an orphan");
    Ok(())
}

/// Uploads to this very key that were not ended, as `clean` sees them.
async fn open_uploads(bucket: &Bucket, url: &str) -> anyhow::Result<usize> {
    let output = command()
        .args(["clean", "--older-than", "0s"])
        .envs(bucket.environment())
        .env("SEEDANCE_ARCHIVE_URL", url)
        .output()
        .await?;
    ensure!(output.status.success(), "{output:?}");
    let words = String::from_utf8_lossy(&output.stdout).into_owned();
    Ok(words.matches("never completed)").count())
}

async fn cancelled_mid_upload(server: Arc<Server>, minio: PathBuf) -> anyhow::Result<()> {
    let minio = Minio::start(minio).await?;
    let bucket = minio.bucket("cancelled")?;
    let world = World::new(&server).await?;
    let id = world.simulator.create(Script {
        bytes: Some(SIZE),
        // It must not end before it is cancelled, however busy the machine is.
        bytes_per_second: Some(PER_SECOND / 2),
        ..Script::default()
    });
    let _worker = world.spawn_worker_with(&server, &bucket.environment())?;
    let lifecycle = world.start(&server, &id).await?;
    let sent = || world.simulator.stats(&id).bytes_sent;
    until("parts are stored", || sent() > SIZE / 4).await?;
    let keys = bucket.keys().await?;
    let folder = keys
        .first()
        .and_then(|key| key.strip_suffix("task.json"))
        .context("no task.json")?;
    let video = format!("s3://cancelled/{folder}video.mp4");
    ensure!(open_uploads(&bucket, &video).await? == 1, "no upload");
    server
        .lifecycle(&id)
        .cancel(WorkflowCancelOptions::default())
        .await?;
    let result = lifecycle.result().await?;
    ensure!(result.reason == "cancelled_by_caller", "{result:?}");
    ensure!(open_uploads(&bucket, &video).await? == 0, "an orphan");
    Ok(())
}
