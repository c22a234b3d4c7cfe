//! What archives tasks leaves erased ones alone.

use std::{path::PathBuf, sync::Arc, time::Duration};

use anyhow::{Context, ensure};
use seedance_archiver_proto::v1::VideoTaskLifecycleResult;
use seedance_archiver_simulator::Script;
use serde_json::{Value, json};

use crate::harness::{
    DAY, Fixture, Server, command, register,
    sweeps::{self, counts},
    task_prefix, until,
};

/// Writes the tombstone of a task into a directory of the archive.
fn write_tombstone(directory: PathBuf, id: &str) -> anyhow::Result<()> {
    std::fs::create_dir_all(&directory)?;
    let tombstone = json!({"task_id": id, "account": "default", "erased_at": 1_787_869_800});
    Ok(std::fs::write(
        directory.join("erased.json"),
        tombstone.to_string(),
    )?)
}

/// Checks that a task ended as erased, and that the archive has only its tombstone.
fn check_erased(
    fixture: &Fixture,
    id: &str,
    result: &VideoTaskLifecycleResult,
) -> anyhow::Result<()> {
    ensure!(
        result.outcome == "unsuccessful" && result.reason == "erased",
        "{result:?}"
    );
    ensure!(
        result.message.contains("the task was erased at 2026-08-27"),
        "{result:?}"
    );
    let files = fixture.archived_files()?;
    ensure!(
        files == [format!("{}/erased.json", task_prefix(id)?)],
        "{files:?}"
    );
    Ok(())
}

async fn a_task_that_is_erased_during_its_transfer_is_not_archived(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let id = fixture.simulator.create(Script {
        hold_at: Some(1000),
        ..Script::default()
    });
    let directory = fixture.directory.path().join(task_prefix(&id)?);
    let result = fixture
        .with_worker(&server, async {
            let lifecycle = fixture.start_lifecycle(&server, &id).await?;
            let record = directory.join("task.json");
            until("the transfer has started", || record.exists()).await?;
            write_tombstone(directory.clone(), &id)?;
            fixture.simulator.release(&id);
            Ok(lifecycle.result().await?)
        })
        .await?;
    check_erased(&fixture, &id, &result)?;

    let _worker = fixture.spawn_worker(&server)?;
    let archive = command()
        .args(["archive", "--output", "json", &id])
        .envs(server.environment())
        .env("TEMPORAL_TASK_QUEUE", &fixture.config.task_queue)
        .output()
        .await?;
    ensure!(archive.status.code() == Some(1), "{archive:?}");
    let report: Value = serde_json::from_slice(&archive.stdout)?;
    let video = &report["videos"][0];
    ensure!(
        video["outcome"] == "unsuccessful" && video["reason"] == "erased",
        "{report}"
    );
    check_erased(&fixture, &id, &result)
}
register!(a_task_that_is_erased_during_its_transfer_is_not_archived);

/// It was running when it was last seen.
async fn an_erased_task_is_not_lost(server: Arc<Server>) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let id = fixture.simulator.create(Script {
        running: Some(DAY),
        ..Script::default()
    });
    let result = fixture
        .with_worker(&server, async {
            let lifecycle = fixture.start_lifecycle(&server, &id).await?;
            fixture.polled(&id, 1).await?;
            fixture.simulator.set_hidden(&id, true);
            fixture.polled(&id, 1).await?;
            let directory = fixture.directory.path().join(task_prefix(&id)?);
            write_tombstone(directory.clone(), &id)?;
            // An attempt wrote them after the erasure, and died.
            for name in ["outcome.json", "task.json"] {
                std::fs::write(directory.join(name), "{}")?;
            }
            fixture.close_query_window().await;
            Ok(lifecycle.result().await?)
        })
        .await?;
    check_erased(&fixture, &id, &result)
}
register!(an_erased_task_is_not_lost);

/// Only the id is known.
async fn an_erased_task_whose_record_was_purged_is_erased(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let id = fixture.simulator.create(Script::default());
    write_tombstone(fixture.directory.path().join(task_prefix(&id)?), &id)?;
    let result = fixture
        .with_worker(&server, async {
            fixture.simulator.set_hidden(&id, true);
            let lifecycle = fixture.start_lifecycle(&server, &id).await?;
            fixture.polled(&id, 1).await?;
            fixture.advance_clock(fixture.not_found_grace()?).await;
            Ok(lifecycle.result().await?)
        })
        .await?;
    ensure!(result.task.is_none(), "{result:?}");
    check_erased(&fixture, &id, &result)
}
register!(an_erased_task_whose_record_was_purged_is_erased);

/// A destination that fails does not bring back what the archive of the worker erased.
async fn a_task_that_was_erased_from_the_workers_archive_is_not_sent_to_a_destination(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let mut fixture = Fixture::new(&server).await?;
    let destination = fixture.allow_destination("team")?;
    let id = fixture.simulator.create(Script::default());
    write_tombstone(fixture.directory.path().join(task_prefix(&id)?), &id)?;
    let request = seedance_archiver_proto::v1::VideoTaskLifecycleRequest {
        task_id: id.clone(),
        destination: destination.to_string(),
        ..Default::default()
    };
    let result = fixture
        .with_worker(&server, async {
            let lifecycle = fixture.start_lifecycle_with(&server, request).await?;
            Ok(lifecycle.result().await?)
        })
        .await?;
    ensure!(result.reason == "erased", "{result:?}");
    let path = destination.to_file_path().ok().context("not local")?;
    let is_empty = !path.join(task_prefix(&id)?).exists();
    ensure!(is_empty, "the destination has objects of the task");
    Ok(())
}
register!(a_task_that_was_erased_from_the_workers_archive_is_not_sent_to_a_destination);

async fn a_sweep_counts_an_erased_task_as_finished(server: Arc<Server>) -> anyhow::Result<()> {
    let (fixture, account) = sweeps::fixture(&server, |_| {}).await?;
    let ids = [(); 2].map(|()| {
        fixture.simulator.create(Script {
            queued: Some(Duration::ZERO),
            running: Some(Duration::ZERO),
            ..Script::default()
        })
    });
    let prefix = task_prefix(&ids[0])?;
    let prefix = prefix.strip_prefix("default/").context("another prefix")?;
    let directory = fixture.directory.path().join(&account).join(prefix);
    write_tombstone(directory, &ids[0])?;
    let swept = fixture
        .with_worker(&server, sweeps::run(&fixture, &server, &account))
        .await?;
    ensure!(swept == counts([2, 0, 1, 0, 1]), "{swept:?}");
    Ok(())
}
register!(a_sweep_counts_an_erased_task_as_finished);

async fn rescue_does_not_archive_an_erased_task(server: Arc<Server>) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let id = fixture.simulator.create(Script {
        queued: Some(Duration::ZERO),
        running: Some(Duration::ZERO),
        ..Script::default()
    });
    let directory = tempfile::tempdir()?;
    let archive = directory.path().join("seedance-archive");
    write_tombstone(archive.join(task_prefix(&id)?), &id)?;
    let output = command()
        .args(["rescue", "--output", "json"])
        .env("SEEDANCE_BASE_URL", fixture.simulator.base_url())
        .env("SEEDANCE_API_KEY", fixture.simulator.api_key())
        .current_dir(&directory)
        .kill_on_drop(true)
        .output()
        .await?;
    ensure!(output.status.success(), "{output:?}");
    let report: Value = serde_json::from_slice(&output.stdout)?;
    ensure!(
        report["found"]["videos"][0]["state"] == "erased",
        "{report}"
    );
    let summary = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(summary.contains("0 videos to archive"), "{summary}");
    ensure!(summary.contains(", 1 erased"), "{summary}");
    Ok(())
}
register!(rescue_does_not_archive_an_erased_task);
