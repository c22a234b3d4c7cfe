//! What may happen to a worker and around it: each has its line in the log, and no video is lost.

use std::{path::PathBuf, sync::Arc};

use anyhow::{Context, ensure};
use rustix::process::Signal;
use seedance_archiver::temporal::lifecycles::Lifecycle;
use seedance_archiver_simulator::Script;

use super::process::Process;
use crate::{
    Suite,
    minio::Minio,
    server_process::Restartable,
    tools::{self, Missing},
    wire::Wire,
    world::{Server, World, until},
};

/// Size of the video.
const SIZE: u64 = 24 * 1024 * 1024;

pub(crate) fn tests(suite: Suite) -> Suite {
    let (has_minio, minio) = tools::split(tools::minio());
    suite
        .test("operations::no_server_ends_the_start", no_server)
        .test(
            "operations::a_wrong_namespace_ends_the_start",
            wrong_namespace,
        )
        .test("operations::a_cut_network_is_waited_for", cut_network)
        .test(
            "operations::a_server_that_restarts_is_waited_for",
            server_restarts,
        )
        .test_with(
            "operations::a_full_disk_is_waited_for",
            can_mount(),
            full_disk,
        )
        .test_with(
            "operations::a_bucket_that_may_not_be_written_is_waited_for",
            has_minio,
            |server| read_only_bucket(server, minio),
        )
        .test("operations::a_killed_worker_is_replaced", killed)
}

async fn no_server(server: Arc<Server>) -> anyhow::Result<()> {
    let world = World::new(&server).await?;
    let mut worker = Process::worker_with(&world, "127.0.0.1:1", &[], &[])?;
    let status = worker.ended().await?;
    ensure!(status.code() == Some(1), "{status}");
    let log = worker.log().join("\n");
    ensure!(
        log.contains("cannot reach Temporal at `http://127.0.0.1:1/`"),
        "{log}"
    );
    ensure!(log.contains("set TEMPORAL_ADDRESS"), "{log}");
    Ok(())
}

async fn wrong_namespace(server: Arc<Server>) -> anyhow::Result<()> {
    let world = World::new(&server).await?;
    let wrong = ("TEMPORAL_NAMESPACE", "nowhere");
    let mut worker = Process::worker(&world, &server, &[wrong])?;
    let status = worker.ended().await?;
    ensure!(status.code() == Some(78), "{status}");
    let log = worker.log().join("\n");
    let line = "namespace `nowhere` does not exist on this server: run `seedance-archiver setup`";
    ensure!(log.contains(line), "{log}");
    ensure!(!log.contains("listening"), "{log}");
    Ok(())
}

fn slow() -> Script {
    Script {
        bytes: Some(SIZE),
        bytes_per_second: Some(SIZE / 4),
        ..Script::default()
    }
}

async fn cut_network(server: Arc<Server>) -> anyhow::Result<()> {
    let wire = Wire::to(&server.address).await?;
    let world = World::new(&server).await?;
    let address = wire.address.to_string();
    let worker = Process::worker_with(&world, &address, &[], &[])?;
    let id = world.simulator.create(slow());
    let lifecycle = world.start(&server, &id).await?;
    let sent = || world.simulator.stats(&id).bytes_sent;
    until("the transfer is under way", || sent() > SIZE / 4).await?;
    wire.cut();
    until("the worker has noticed", || {
        worker
            .log()
            .iter()
            .any(|line| line.contains("WARN") && line.contains("gRPC"))
    })
    .await
    .with_context(|| worker.log().join("\n"))?;
    ensure!(
        worker.get("/livez").await?.0 == 200,
        "a restart would not mend it"
    );
    wire.mend();
    let result = lifecycle.result().await?;
    ensure!(result.outcome == "archived", "{result:?}");
    world.holds_exactly(&id, &result.manifest.context("no receipt")?)
}

async fn server_restarts(server: Arc<Server>) -> anyhow::Result<()> {
    let mut temporal = Restartable::start().await?;
    let server = server.with_client(temporal.client().await?)?;
    let world = World::new(&server).await?;
    let _worker = Process::worker_with(&world, &temporal.address, &[], &[])?;
    let id = world.simulator.create(slow());
    let run_id = {
        let lifecycle = world.start(&server, &id).await?;
        lifecycle.run_id().to_owned()
    };
    let sent = || world.simulator.stats(&id).bytes_sent;
    until("the transfer is under way", || sent() > SIZE / 4).await?;
    temporal.restart().await?;

    let client = temporal.client().await?;
    let lifecycle = Lifecycle::of_run(&client, "", &id, &run_id);
    let result = lifecycle.result().await?;
    ensure!(result.outcome == "archived", "{result:?}");
    world.holds_exactly(&id, &result.manifest.context("no receipt")?)
}

/// Mounting is for root.
fn can_mount() -> Result<(), Missing> {
    match rustix::process::geteuid().is_root() && which::which("mount").is_ok() {
        true => Ok(()),
        false => Err(Missing("no right to mount a small disk")),
    }
}

/// A disk of a few megabytes.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    async fn new(size: &str) -> anyhow::Result<Self> {
        let directory = tempfile::tempdir()?;
        let disk = Self(directory);
        disk.mount(&format!("size={size}")).await?;
        Ok(disk)
    }

    async fn grow(&self, size: &str) -> anyhow::Result<()> {
        self.mount(&format!("remount,size={size}")).await
    }

    async fn mount(&self, options: &str) -> anyhow::Result<()> {
        let mounted = tokio::process::Command::new("mount")
            .args(["-t", "tmpfs", "-o", options, "tmpfs"])
            .arg(self.0.path())
            .status();
        ensure!(mounted.await?.success(), "cannot mount");
        Ok(())
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount")
            .arg(self.0.path())
            .status();
    }
}

async fn full_disk(server: Arc<Server>) -> anyhow::Result<()> {
    let disk = SmallDisk::new("8m").await?;
    let mut world = World::new(&server).await?;
    world.config.archive_url = reqwest::Url::from_directory_path(disk.0.path())
        .map_err(|()| anyhow::anyhow!("no URL for the disk"))?;
    let worker = Process::worker(&world, &server, &[])?;
    let id = world.simulator.create(Script {
        bytes: Some(SIZE),
        ..Script::default()
    });
    let lifecycle = world.start(&server, &id).await?;
    let refused = worker.says("activity attempt failed; will retry").await?;
    ensure!(refused["failure_type"] == "StoreUnavailable", "{refused}");
    let words = refused["error"].as_str().unwrap_or_default();
    ensure!(words.contains("No space left on device"), "{refused}");
    disk.grow("64m").await?;
    let result = lifecycle.result().await?;
    ensure!(result.outcome == "archived", "{result:?}");
    let manifest = result.manifest.context("no receipt")?;
    let video = manifest.objects.first().context("no object")?;
    let served = world.simulator.source(&id).context("no source")?.bytes();
    ensure!(
        crate::world::read_local(&video.url)? == served,
        "other bytes"
    );
    Ok(())
}

/// Whoever gives no key may not write: the same 403 that a key without the right gets.
async fn read_only_bucket(server: Arc<Server>, minio: PathBuf) -> anyhow::Result<()> {
    let minio = Minio::start(minio).await?;
    let bucket = minio.bucket("guarded")?;
    let world = World::new(&server).await?;
    let id = world.simulator.create(Script::default());
    let mut variables = bucket.environment();
    variables.retain(|(name, _)| !name.contains("KEY"));
    variables.push(("AWS_SKIP_SIGNATURE", "true"));
    let mut worker = Process::worker(&world, &server, &variables)?;
    let told = worker
        .says("archive check failed; transfers are retried until the archive works")
        .await?;
    let fix = told["fix"].as_str().unwrap_or_default();
    ensure!(fix.contains("keys or a role that may write"), "{told}");
    worker.says("polling").await?;
    let lifecycle = world.start(&server, &id).await?;
    let refused = worker.says("activity attempt failed; will retry").await?;
    ensure!(refused["failure_type"] == "StoreUnavailable", "{refused}");
    ensure!(
        world.simulator.stats(&id).downloads == 0,
        "a download was for nothing"
    );
    worker.stop().await?;

    let _worker = Process::worker(&world, &server, &bucket.environment())?;
    let result = lifecycle.result().await?;
    ensure!(result.outcome == "archived", "{result:?}");
    Ok(())
}

async fn killed(server: Arc<Server>) -> anyhow::Result<()> {
    let world = World::new(&server).await?;
    let id = world.simulator.create(slow());
    let mut worker = Process::worker(&world, &server, &[])?;
    let lifecycle = world.start(&server, &id).await?;
    let sent = || world.simulator.stats(&id).bytes_sent;
    until("the transfer is under way", || sent() > SIZE / 4).await?;
    worker.signal(Signal::KILL)?;
    worker.ended().await?;
    let _worker = Process::worker(&world, &server, &[])?;
    let result = lifecycle.result().await?;
    ensure!(result.outcome == "archived", "{result:?}");
    world.holds_exactly(&id, &result.manifest.context("no receipt")?)
}
