//! The destination of a request: when it is used, and what becomes of the video when it cannot be.

use std::{fs::OpenOptions, path::PathBuf, sync::Arc};

use anyhow::{Context, ensure};
use seedance_archiver::temporal::sweeps;
use seedance_archiver_proto::v1::{
    Manifest, SweepVideoTasksRequest, VideoTaskLifecycleRequest, VideoTaskLifecycleResult,
};
use seedance_archiver_simulator::{Corruption, Script};
use serde_json::json;
use tokio::process::Command;

use crate::harness::{
    DAY, Fixture, HOUR, Server, lifecycle::until_waiting, read_local, register, sweeps as swept,
    task_prefix,
};

fn request(task_id: &str, destination: &str) -> VideoTaskLifecycleRequest {
    VideoTaskLifecycleRequest {
        task_id: task_id.to_owned(),
        destination: destination.to_owned(),
        ..VideoTaskLifecycleRequest::default()
    }
}

async fn an_allowed_destination_is_used(server: Arc<Server>) -> anyhow::Result<()> {
    let mut fixture = Fixture::new(&server).await?;
    let destination = fixture.allow_destination("team-a")?;
    let id = fixture.simulator.create(Script::default());
    let result = fixture
        .with_worker(&server, async {
            let request = request(&id, destination.as_str());
            let lifecycle = fixture.start_lifecycle_with(&server, request).await?;
            Ok(lifecycle.result().await?)
        })
        .await?;
    let manifest = result.manifest.context("no receipt")?;
    ensure!(
        manifest.manifest_url.starts_with(destination.as_str()) && result.warnings.is_empty(),
        "{manifest:?}"
    );
    let files = fixture.archived_files()?;
    ensure!(
        files.iter().all(|file| file.starts_with("team-a/default/")),
        "{files:?}"
    );
    Ok(())
}
register!(an_allowed_destination_is_used);

/// A file of a local archive that cannot be opened until this is dropped.
struct HeldFile(PathBuf);

impl HeldFile {
    async fn create(path: PathBuf) -> anyhow::Result<Self> {
        let pipe = Command::new("mkfifo").arg(&path).status().await?;
        ensure!(pipe.success(), "mkfifo: {pipe}");
        Ok(Self(path))
    }
}

impl Drop for HeldFile {
    fn drop(&mut self) {
        // The threads that wait for a writer would keep the test program from ending.
        let _ = OpenOptions::new().read(true).write(true).open(&self.0);
    }
}

/// The archive of the worker would know of an erasure, and does not respond.
async fn a_destination_does_not_wait_for_the_archive_of_the_worker(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let mut fixture = Fixture::new(&server).await?;
    let destination = fixture.allow_destination("team-a")?;
    let id = fixture.simulator.create(Script::default());
    let own = fixture.directory.path().join(task_prefix(&id)?);
    std::fs::create_dir_all(&own)?;
    let _held = HeldFile::create(own.join("erased.json")).await?;
    let result = fixture
        .with_worker(&server, async {
            let request = request(&id, destination.as_str());
            let lifecycle = fixture.start_lifecycle_with(&server, request).await?;
            Ok(lifecycle.result().await?)
        })
        .await?;
    ensure!(result.outcome == "archived", "{result:?}");
    let manifest = result.manifest.context("no receipt")?;
    ensure!(
        manifest.manifest_url.starts_with(destination.as_str()) && result.warnings.is_empty(),
        "{manifest:?}"
    );
    Ok(())
}
register!(a_destination_does_not_wait_for_the_archive_of_the_worker);

/// A mistyped destination is shown from the first poll, and costs neither the video nor its directory.
async fn a_destination_that_is_not_allowed_receives_nothing(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    check_that_nothing_is_sent_to(&server, "typo", "does not allow the destination").await
}
register!(a_destination_that_is_not_allowed_receives_nothing);

/// The key of an archive cannot contain this segment. A worker of 0.1.0 accepted it.
async fn a_destination_that_cannot_be_an_archive_costs_no_video(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    check_that_nothing_is_sent_to(&server, ".staging/x", "`.staging`").await
}
register!(a_destination_that_cannot_be_an_archive_costs_no_video);

async fn check_that_nothing_is_sent_to(
    server: &Server,
    name: &str,
    why: &str,
) -> anyhow::Result<()> {
    let fixture = Fixture::new(server).await?;
    let destination = fixture.config.archive_url.join(name)?;
    let id = fixture.simulator.create(Script {
        running: Some(HOUR),
        ..Script::default()
    });
    let result = fixture
        .with_worker(server, async {
            let request = request(&id, destination.as_str());
            let lifecycle = fixture.start_lifecycle_with(server, request).await?;
            until_waiting(&lifecycle, why).await?;
            fixture.advance_clock(HOUR).await;
            until_waiting(&lifecycle, "next attempt").await?;
            fixture.advance_clock(HOUR / 4).await;
            Ok(lifecycle.result().await?)
        })
        .await?;
    assert_archived_here(&fixture, &id, &result, why)
}

async fn a_destination_whose_store_fails_is_given_up(server: Arc<Server>) -> anyhow::Result<()> {
    let mut fixture = Fixture::new(&server).await?;
    let destination = fixture.allow_destination("blocked")?;
    let blocked = fixture.directory.path().join("blocked");
    std::fs::write(&blocked, "not a directory")?;
    let id = fixture.simulator.create(Script::default());
    let result = fixture
        .with_worker(&server, async {
            let request = request(&id, destination.as_str());
            let lifecycle = fixture.start_lifecycle_with(&server, request).await?;
            until_waiting(&lifecycle, "cannot create directory").await?;
            fixture.advance_clock(6 * HOUR).await;
            Ok(lifecycle.result().await?)
        })
        .await?;
    std::fs::remove_file(blocked)?;
    assert_archived_here(&fixture, &id, &result, "cannot create directory")
}
register!(a_destination_whose_store_fails_is_given_up);

/// The host failed for hours, and then the store of the destination once.
async fn a_destination_that_fails_once_is_not_given_up(server: Arc<Server>) -> anyhow::Result<()> {
    let mut fixture = Fixture::new(&server).await?;
    let destination = fixture.allow_destination("team-a")?;
    let directory = fixture.directory.path().join("team-a");
    let id = fixture.simulator.create(Script {
        corrupt: Some(Corruption::Flip(1_000)),
        corrupt_downloads: Some(1),
        ..Script::default()
    });
    let result = fixture
        .with_worker(&server, async {
            let request = request(&id, destination.as_str());
            let lifecycle = fixture.start_lifecycle_with(&server, request).await?;
            until_waiting(&lifecycle, "next attempt in").await?;
            std::fs::remove_dir_all(&directory)?;
            std::fs::write(&directory, "not a directory")?;
            fixture.advance_clock(7 * HOUR).await;
            until_waiting(&lifecycle, "cannot create directory").await?;
            std::fs::remove_file(&directory)?;
            fixture.advance_clock(HOUR).await;
            Ok(lifecycle.result().await?)
        })
        .await?;
    let manifest = result.manifest.context("no receipt")?;
    ensure!(
        manifest.manifest_url.starts_with(destination.as_str()),
        "{manifest:?}"
    );
    Ok(())
}
register!(a_destination_that_fails_once_is_not_given_up);

/// An attempt to record the outcome wrote to the destination and died. Then an archival gave up the destination.
async fn an_outcome_in_a_destination_that_was_given_up_is_deleted(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let mut fixture = Fixture::new(&server).await?;
    let destination = fixture.allow_destination("team-a")?;
    let id = fixture.simulator.create(Script {
        running: Some(DAY),
        ..Script::default()
    });
    let own = fixture.directory.path().join(task_prefix(&id)?);
    let other = fixture
        .directory
        .path()
        .join("team-a")
        .join(task_prefix(&id)?);
    let result = fixture
        .with_worker(&server, async {
            let request = request(&id, destination.as_str());
            let lifecycle = fixture.start_lifecycle_with(&server, request).await?;
            fixture.polled(&id, 1).await?;
            fixture.simulator.set_hidden(&id, true);
            fixture.polled(&id, 1).await?;
            std::fs::create_dir_all(&own)?;
            std::fs::create_dir_all(&other)?;
            let receipt = json!({"task_id": id, "objects": [{"name": "video.mp4"}]});
            std::fs::write(own.join("manifest.json"), receipt.to_string())?;
            std::fs::write(other.join("outcome.json"), "{}")?;
            fixture.close_query_window().await;
            Ok(lifecycle.result().await?)
        })
        .await?;
    ensure!(result.outcome == "archived", "{result:?}");
    let has_outcome = other.join("outcome.json").try_exists()?;
    ensure!(!has_outcome, "an outcome stayed in the destination");
    Ok(())
}
register!(an_outcome_in_a_destination_that_was_given_up_is_deleted);

/// Checks that a video is in the archive of the worker, and that the result and the receipt say why.
fn assert_archived_here(
    fixture: &Fixture,
    id: &str,
    result: &VideoTaskLifecycleResult,
    why: &str,
) -> anyhow::Result<()> {
    ensure!(result.outcome == "archived", "{result:?}");
    ensure!(
        matches!(result.warnings.as_slice(), [warning] if warning.contains(why)),
        "{result:?}"
    );
    let manifest = result.manifest.as_ref().context("no receipt")?;
    let receipt: Manifest = serde_json::from_slice(&read_local(&manifest.manifest_url)?)?;
    ensure!(receipt.warnings == result.warnings, "{receipt:?}");
    fixture.assert_archived(id, manifest)
}

/// Otherwise each sweep would start the lifecycle again.
async fn a_sweep_to_a_destination_finds_the_videos_in_the_archive_of_the_worker(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let (mut fixture, account) = swept::fixture(&server, |_| {}).await?;
    let destination = fixture.allow_destination("team-a")?;
    let id = fixture.simulator.create(Script::default());
    let result = fixture
        .with_worker(&server, async {
            let lifecycle = swept::start_lifecycle(&fixture, &server, &account, &id).await?;
            ensure!(lifecycle.result().await?.outcome == "archived");
            let request = SweepVideoTasksRequest {
                account: account.clone(),
                destination: destination.to_string(),
                ..SweepVideoTasksRequest::default()
            };
            let queue = &fixture.config.task_queue;
            Ok(sweeps::start(&server.client, queue, request)
                .await?
                .result()
                .await?)
        })
        .await?;
    ensure!(result == swept::counts([1, 1, 0, 0, 0]), "{result:?}");
    Ok(())
}
register!(a_sweep_to_a_destination_finds_the_videos_in_the_archive_of_the_worker);

/// No request can send a video to a bucket that the account does not allow, also not through a sweep.
async fn a_sweep_to_a_destination_that_is_not_allowed_starts_nothing(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let (fixture, account) = swept::fixture(&server, |_| {}).await?;
    let id = fixture.simulator.create(Script::default());
    fixture
        .with_worker(&server, async {
            let request = SweepVideoTasksRequest {
                account: account.clone(),
                destination: "s3://somewhere-else/videos".to_owned(),
                ..SweepVideoTasksRequest::default()
            };
            let queue = &fixture.config.task_queue;
            let sweep = sweeps::start(&server.client, queue, request).await?;
            let failure = swept::pending_failure(&server, &account).await?;
            ensure!(
                failure.contains("does not allow the destination"),
                "{failure}"
            );
            drop(sweep);
            let queries = fixture.simulator.stats(&id).queries;
            ensure!(queries == 0, "{queries} queries");
            Ok(())
        })
        .await
}
register!(a_sweep_to_a_destination_that_is_not_allowed_starts_nothing);
