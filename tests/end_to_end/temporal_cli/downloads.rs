//! Downloads of the Temporal CLI.

use std::{process::Stdio, sync::Arc};

use anyhow::ensure;
use tokio::process::Child;

use super::{
    download_site::{DownloadSite, Sent},
    machine::BareMachine,
};
use crate::{
    command_line::{describe, interrupt},
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
    let status = demo.wait().await?;
    ensure!(status.code() == Some(130), "{status}");
    Ok(())
}

/// The site serves a program that is not the release.
async fn an_archive_with_another_digest_is_neither_run_nor_kept(
    _: Arc<Server>,
) -> anyhow::Result<()> {
    let site = DownloadSite::start(Sent::Everything).await?;
    let machine = BareMachine::new(FAILING_GO)?;
    let output = spawn_demo(&machine, &site)?.wait_with_output().await?;
    ensure!(output.status.code() == Some(1), "{}", describe(&output));
    let stderr = String::from_utf8_lossy(&output.stderr);
    let error = "download: cannot download the Temporal CLI v1.9.1: the archive has SHA-256 ";
    ensure!(stderr.contains(error), "{stderr}");
    ensure!(!site.program_ran(), "the program was run");
    let cached = machine.cached()?;
    ensure!(cached.is_empty(), "{cached:?}");
    Ok(())
}
register!(an_archive_with_another_digest_is_neither_run_nor_kept);

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
