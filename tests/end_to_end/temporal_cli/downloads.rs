//! Downloads of the Temporal CLI.

use std::{process::Stdio, sync::Arc, time::Duration};

use anyhow::{Context, ensure};
use tokio::{io::BufReader, process::Child};

use super::{
    download_site::{DownloadSite, Sent},
    machine::BareMachine,
};
use crate::{
    command_line::{describe, interrupt, line_after},
    harness::{Server, register, until},
};

/// The `go` of a machine that cannot build the CLI.
const FAILING_GO: &str = "echo 'no such module' >&2; exit 1";

/// Starts `demo`.
fn spawn_demo(machine: &BareMachine, site: &DownloadSite) -> anyhow::Result<Child> {
    let mut command = machine.command();
    command
        .arg("demo")
        .envs(site.environment())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    Ok(command.spawn()?)
}

/// Interrupts `demo` and waits until it has exited.
async fn stop(mut demo: Child) -> anyhow::Result<()> {
    interrupt(&demo)?;
    let status = tokio::time::timeout(Duration::from_secs(300), demo.wait()).await??;
    ensure!(status.code() == Some(130), "{status}");
    Ok(())
}

async fn the_newest_version_is_downloaded_and_its_server_is_named(
    _: Arc<Server>,
) -> anyhow::Result<()> {
    let site = DownloadSite::start(Sent::Everything).await?;
    let machine = BareMachine::new(FAILING_GO)?;
    let mut demo = spawn_demo(&machine, &site)?;
    let mut stderr = BufReader::new(demo.stderr.take().context("no stderr")?);
    line_after(&mut stderr, "downloading the Temporal CLI v1.9.1").await?;
    let server = line_after(&mut stderr, "Temporal server ").await?;
    let (version, address) = server.split_once(" at ").context("no address")?;
    ensure!(version.starts_with("1."), "{server}");
    ensure!(address.starts_with("127.0.0.1:"), "{server}");
    stop(demo).await?;
    let cached = machine.cached()?;
    ensure!(cached == ["temporal-v1.9.1"], "{cached:?}");
    Ok(())
}
register!(the_newest_version_is_downloaded_and_its_server_is_named);

async fn a_broken_download_does_not_stay_in_the_cache(_: Arc<Server>) -> anyhow::Result<()> {
    let site = DownloadSite::start(Sent::Half).await?;
    let machine = BareMachine::new(FAILING_GO)?;
    let output = spawn_demo(&machine, &site)?.wait_with_output().await?;
    ensure!(output.status.code() == Some(1), "{}", describe(&output));
    let stderr = String::from_utf8_lossy(&output.stderr);
    let error = "download: cannot download the Temporal CLI v1.9.1: ";
    ensure!(stderr.contains(error), "{stderr}");
    let cached = machine.cached()?;
    ensure!(cached.is_empty(), "{cached:?}");
    Ok(())
}
register!(a_broken_download_does_not_stay_in_the_cache);

async fn ctrl_c_stops_the_download(_: Arc<Server>) -> anyhow::Result<()> {
    let site = DownloadSite::start(Sent::HalfAndWait).await?;
    // On a slow machine, the download may be given up before Ctrl-C.
    let machine = BareMachine::new("exec /bin/sleep 3600")?;
    let demo = spawn_demo(&machine, &site)?;
    until("the download has started", || {
        machine.cached().is_ok_and(|cached| !cached.is_empty())
    })
    .await?;
    stop(demo).await?;
    let cached = machine.cached()?;
    ensure!(cached.is_empty(), "{cached:?}");
    Ok(())
}
register!(ctrl_c_stops_the_download);
