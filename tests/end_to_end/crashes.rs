//! Transfers whose worker is killed.

use std::sync::Arc;

use anyhow::{Context, ensure};
use futures::future::try_join_all;
use seedance_archiver::archive::PART_SIZE;
use seedance_archiver_proto::v1::Manifest;
use seedance_archiver_simulator::Script;
use temporalio_client::WorkflowCancelOptions;

use crate::harness::{
    Fixture, Server,
    attempts::ensure_attempts,
    command,
    heartbeat::heartbeat,
    minio::{Bucket, Minio},
    register, tools, until, until_async,
};

/// Size of the video: 8 parts.
const SIZE: u64 = 40 * 1024 * 1024;
/// Number of points in a transfer at which a worker is killed.
const POINTS: u64 = 10;

async fn another_worker_finishes_the_transfer_of_a_killed_worker(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let id = fixture.simulator.create(Script {
        bytes: Some(20_000_000),
        hold_at: Some(5_000_000),
        ..Script::default()
    });
    let mut first = fixture.spawn_worker(&server)?;
    let lifecycle = fixture.start_lifecycle(&server, &id).await?;
    let sent = || fixture.simulator.stats(&id).bytes_sent;
    until("the download has started", || sent() == 5_000_000).await?;
    first.kill().await?;
    fixture.release_stopped_download(&id).await?;

    let result = fixture
        .with_worker(&server, async { Ok(lifecycle.result().await?) })
        .await?;
    ensure!(result.outcome == "archived", "{result:?}");
    let manifest = result.manifest.context("no receipt")?;
    ensure_attempts(&server, &manifest, 2..=2).await?;
    let stats = fixture.simulator.stats(&id);
    let downloads = i64::try_from(stats.downloads)?;
    ensure!((2..=manifest.attempts).contains(&downloads), "{stats:?}");
    fixture.assert_archived(&id, &manifest)
}
register!(
    another_worker_finishes_the_transfer_of_a_killed_worker,
    takes_long
);

async fn another_worker_resumes_a_multipart_upload_at_the_checkpoint(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let minio = Minio::start(tools::minio()?).await?;
    // The heartbeat timeout is 20 s, so all points are tested concurrently, each with its own workers.
    let points = (0..POINTS).map(|point| kill_and_resume(&server, &minio, point));
    let killed = try_join_all(points).await?;
    // On a busy machine, the second worker may miss its heartbeat, and a third attempt fetches what followed that.
    let is_resumed = |killed: &&Killed| killed.checkpoint > 0 && killed.attempts == 2;
    let resumed: Vec<_> = killed.iter().filter(is_resumed).collect();
    ensure!(!resumed.is_empty(), "no transfer was resumed: {killed:?}");
    for killed in resumed {
        let sent_after_checkpoint = killed.sent - killed.checkpoint;
        ensure!(sent_after_checkpoint <= PART_SIZE as u64, "{killed:?}");
        ensure!(killed.fetched_again <= sent_after_checkpoint, "{killed:?}");
    }
    Ok(())
}
register!(
    another_worker_resumes_a_multipart_upload_at_the_checkpoint,
    needs = [minio],
    takes_long
);

/// The transfer of a worker that was killed.
#[derive(Debug)]
struct Killed {
    /// Bytes that were sent to the killed worker.
    sent: u64,
    /// Bytes before the checkpoint of the killed worker.
    checkpoint: u64,
    /// Bytes that were sent again to the next worker.
    fetched_again: u64,
    /// Attempts until the video was archived.
    attempts: i64,
}

/// Kills a worker at one point of a transfer, and lets another worker finish the transfer.
async fn kill_and_resume(server: &Server, minio: &Minio, point: u64) -> anyhow::Result<Killed> {
    let fixture = Fixture::new(server).await?;
    let bucket = minio.new_bucket(&format!("point-{point}"))?;
    let kill_at = SIZE * (point + 1) / (POINTS + 1);
    let id = fixture.simulator.create(Script {
        bytes: Some(SIZE),
        hold_at: Some(kill_at),
        ..Script::default()
    });
    let mut first = fixture.spawn_worker_with(server, &bucket.environment())?;
    let lifecycle = fixture.start_lifecycle(server, &id).await?;
    let sent = || fixture.simulator.stats(&id).bytes_sent;
    // A part is sent when it is full and more bytes follow.
    let parts = (kill_at - 1) / PART_SIZE as u64;
    until_async("the heartbeat contains the last stored part", || async {
        let place = &heartbeat(server, "", &id).await?["place"];
        let stored = place["checkpoint"]["upload"]["parts"].as_array();
        let stored = stored.map_or(0, Vec::len) as u64;
        Ok(place["done"] == kill_at && stored == parts)
    })
    .await?;
    first.kill().await?;
    fixture.release_stopped_download(&id).await?;
    let sent_before = kill_at;
    ensure!(
        bucket.keys().await?.len() == 1,
        "a final key was written before the end of the transfer"
    );

    let _second = fixture.spawn_worker_with(server, &bucket.environment())?;
    let result = lifecycle.result().await?;
    ensure!(result.outcome == "archived", "{result:?}");
    let manifest = result.manifest.context("no receipt")?;
    assert_archived_to(&bucket, &fixture, &id, &manifest).await?;
    Ok(Killed {
        sent: sent_before,
        checkpoint: parts * PART_SIZE as u64,
        fetched_again: sent().saturating_sub(SIZE),
        attempts: manifest.attempts,
    })
}

/// Checks that a bucket holds the video, its record and its receipt, and nothing else.
async fn assert_archived_to(
    bucket: &Bucket,
    fixture: &Fixture,
    id: &str,
    manifest: &Manifest,
) -> anyhow::Result<()> {
    let keys = bucket.keys().await?;
    ensure!(keys.len() == 3, "{keys:?}");
    let served = fixture.simulator.source(id).context("no source")?.bytes();
    let video = manifest.objects.first().context("no object")?;
    ensure!(
        bucket.read(&video.url).await? == served,
        "the archived bytes differ from the served ones"
    );
    let stored: Manifest = serde_json::from_slice(&bucket.read(&manifest.manifest_url).await?)?;
    ensure!(stored.clone().for_callers() == *manifest, "{stored:?}");
    ensure!(
        count_incomplete_uploads(bucket, &video.url).await? == 0,
        "an incomplete multipart upload was left behind"
    );
    Ok(())
}

/// Counts the incomplete multipart uploads to a key, as `clean` reports them.
async fn count_incomplete_uploads(bucket: &Bucket, url: &str) -> anyhow::Result<usize> {
    let output = command()
        .args(["clean", "--older-than", "0s"])
        .envs(bucket.environment())
        .env("SEEDANCE_ARCHIVE_URL", url)
        .output()
        .await?;
    ensure!(output.status.success(), "{output:?}");
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    Ok(stdout.matches("(incomplete upload)").count())
}

async fn a_cancelled_transfer_leaves_no_multipart_upload(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let minio = Minio::start(tools::minio()?).await?;
    let bucket = minio.new_bucket("cancelled")?;
    let fixture = Fixture::new(&server).await?;
    let id = fixture.simulator.create(Script {
        bytes: Some(SIZE),
        hold_at: Some(SIZE / 2),
        ..Script::default()
    });
    let _worker = fixture.spawn_worker_with(&server, &bucket.environment())?;
    let lifecycle = fixture.start_lifecycle(&server, &id).await?;
    until_async("the multipart upload has started", || async {
        Ok(!heartbeat(&server, "", &id).await?["place"]["upload"].is_null())
    })
    .await?;
    let keys = bucket.keys().await?;
    let prefix = keys
        .first()
        .and_then(|key| key.strip_suffix("task.json"))
        .context("no task.json")?;
    let video = format!("s3://cancelled/{prefix}video.mp4");
    ensure!(
        count_incomplete_uploads(&bucket, &video).await? == 1,
        "no multipart upload was started"
    );
    server
        .lifecycle(&id)
        .cancel(WorkflowCancelOptions::default())
        .await?;
    let result = lifecycle.result().await?;
    ensure!(result.reason == "cancelled_by_caller", "{result:?}");
    ensure!(
        count_incomplete_uploads(&bucket, &video).await? == 0,
        "an incomplete multipart upload was left behind"
    );
    Ok(())
}
register!(
    a_cancelled_transfer_leaves_no_multipart_upload,
    needs = [minio]
);
