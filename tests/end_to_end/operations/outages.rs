//! Outages of a worker and of its dependencies. Each outage is logged, and no video is lost.

use std::sync::Arc;

use anyhow::{Context, ensure};
use rustix::process::Signal;
use seedance_archiver::temporal::lifecycles::Lifecycle;
use seedance_archiver_simulator::Script;

use super::process::WorkerProcess;
use crate::harness::{
    Fixture, Server, minio::Minio, read_local, register, restartable_server::RestartableServer,
    tcp_proxy::TcpProxy, tools, until,
};

/// Size of the video.
const SIZE: u64 = 24 * 1024 * 1024;

/// Number of bytes after which the transfer pauses, so that the server can fail.
const HOLD_AT: u64 = SIZE / 4;

/// Returns the script of a task whose transfer pauses.
fn held_download() -> Script {
    Script {
        bytes: Some(SIZE),
        hold_at: Some(HOLD_AT),
        ..Script::default()
    }
}

async fn a_transfer_survives_a_lost_connection_to_temporal(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let proxy = TcpProxy::start(&server.address).await?;
    let fixture = Fixture::new(&server).await?;
    let proxied = server.at(proxy.address.to_string())?;
    let worker = WorkerProcess::start(&fixture, &proxied, &[])?;
    let id = fixture.simulator.create(held_download());
    let lifecycle = fixture.start_lifecycle(&server, &id).await?;
    let sent = || fixture.simulator.stats(&id).bytes_sent;
    until("the transfer has started", || sent() == HOLD_AT).await?;
    proxy.disconnect();
    worker.wait_for_log("waiting for Temporal").await?;
    ensure!(
        worker.get("/livez").await?.0 == 200,
        "the liveness probe would restart the worker"
    );
    proxy.reconnect();
    fixture.simulator.release(&id);
    let result = lifecycle.result().await?;
    ensure!(result.outcome == "archived", "{result:?}");
    fixture.assert_archived(&id, &result.manifest.context("no receipt")?)
}
register!(a_transfer_survives_a_lost_connection_to_temporal);

/// Uses its own Temporal server, because a restart of the shared one would disturb other tests.
async fn a_transfer_survives_a_restart_of_temporal(_: Arc<Server>) -> anyhow::Result<()> {
    let mut temporal = RestartableServer::start().await?;
    let server = Server::new(temporal.client().await?, temporal.address.clone(), None)?;
    let fixture = Fixture::new(&server).await?;
    let _worker = WorkerProcess::start(&fixture, &server, &[])?;
    let id = fixture.simulator.create(held_download());
    let run_id = {
        let lifecycle = fixture.start_lifecycle(&server, &id).await?;
        lifecycle.run_id().to_owned()
    };
    let sent = || fixture.simulator.stats(&id).bytes_sent;
    until("the transfer has started", || sent() == HOLD_AT).await?;
    temporal.restart().await?;
    fixture.simulator.release(&id);

    let client = temporal.client().await?;
    let lifecycle = Lifecycle::for_run(&client, "", &id, &run_id);
    let result = lifecycle.result().await?;
    ensure!(result.outcome == "archived", "{result:?}");
    fixture.assert_archived(&id, &result.manifest.context("no receipt")?)
}
register!(a_transfer_survives_a_restart_of_temporal);

/// A file system of limited size.
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
        let status = tokio::process::Command::new("mount")
            .args(["-t", "tmpfs", "-o", options, "tmpfs"])
            .arg(self.0.path())
            .status();
        ensure!(status.await?.success(), "cannot mount a tmpfs");
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

async fn a_transfer_waits_until_a_full_disk_has_space(server: Arc<Server>) -> anyhow::Result<()> {
    let disk = SmallDisk::new("8m").await?;
    let mut fixture = Fixture::new(&server).await?;
    fixture.config.archive_url = reqwest::Url::from_directory_path(disk.0.path())
        .map_err(|()| anyhow::anyhow!("the directory has no file URL"))?;
    let worker = WorkerProcess::start(&fixture, &server, &[])?;
    let id = fixture.simulator.create(Script {
        bytes: Some(SIZE),
        ..Script::default()
    });
    let lifecycle = fixture.start_lifecycle(&server, &id).await?;
    let failure = worker
        .wait_for_log("activity attempt failed; will retry")
        .await?;
    ensure!(failure["failure_type"] == "StoreUnavailable", "{failure}");
    let error = failure["error"].as_str().unwrap_or_default();
    ensure!(error.contains("No space left on device"), "{failure}");
    disk.grow("64m").await?;
    let result = lifecycle.result().await?;
    ensure!(result.outcome == "archived", "{result:?}");
    let manifest = result.manifest.context("no receipt")?;
    let video = manifest.objects.first().context("no object")?;
    let served = fixture.simulator.source(&id).context("no source")?.bytes();
    ensure!(
        read_local(&video.url)? == served,
        "the archived bytes differ from the served ones"
    );
    Ok(())
}
register!(
    a_transfer_waits_until_a_full_disk_has_space,
    needs = [mount_permission]
);

/// Without a key MinIO returns the same 403 as for a key without write permission.
async fn a_transfer_waits_for_write_permission_to_the_bucket(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let minio = Minio::start(tools::minio()?).await?;
    let bucket = minio.new_bucket("guarded")?;
    let fixture = Fixture::new(&server).await?;
    let id = fixture.simulator.create(Script::default());
    let mut variables = bucket.environment();
    variables.retain(|(name, _)| !name.contains("KEY"));
    variables.push(("AWS_SKIP_SIGNATURE", "true"));
    let mut worker = WorkerProcess::start(&fixture, &server, &variables)?;
    let warning = worker
        .wait_for_log("archive check failed; transfers are retried until the archive works")
        .await?;
    let fix = warning["fix"].as_str().unwrap_or_default();
    ensure!(fix.contains("keys, or a role that may write"), "{warning}");
    worker.wait_for_log("polling").await?;
    let lifecycle = fixture.start_lifecycle(&server, &id).await?;
    let failure = worker
        .wait_for_log("activity attempt failed; will retry")
        .await?;
    ensure!(failure["failure_type"] == "StoreUnavailable", "{failure}");
    ensure!(
        fixture.simulator.stats(&id).downloads == 0,
        "the video was downloaded without being stored"
    );
    worker.stop().await?;

    let _worker = WorkerProcess::start(&fixture, &server, &bucket.environment())?;
    let result = lifecycle.result().await?;
    ensure!(result.outcome == "archived", "{result:?}");
    Ok(())
}
register!(
    a_transfer_waits_for_write_permission_to_the_bucket,
    needs = [minio]
);

async fn a_new_worker_finishes_the_transfer_of_a_killed_worker(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let id = fixture.simulator.create(held_download());
    let mut worker = WorkerProcess::start(&fixture, &server, &[])?;
    let lifecycle = fixture.start_lifecycle(&server, &id).await?;
    let sent = || fixture.simulator.stats(&id).bytes_sent;
    until("the transfer has started", || sent() == HOLD_AT).await?;
    worker.send_signal(Signal::KILL)?;
    worker.wait_for_exit().await?;
    fixture.release_stopped_download(&id).await?;
    let _worker = WorkerProcess::start(&fixture, &server, &[])?;
    let result = lifecycle.result().await?;
    ensure!(result.outcome == "archived", "{result:?}");
    fixture.assert_archived(&id, &result.manifest.context("no receipt")?)
}
register!(
    a_new_worker_finishes_the_transfer_of_a_killed_worker,
    takes_long
);
