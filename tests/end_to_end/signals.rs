//! Signals that commands obey, and that they ignore.

use std::{process::Stdio, sync::Arc};

use anyhow::{Context, ensure};
use rustix::process::Signal;
use tokio::io::{AsyncBufReadExt, BufReader};

use crate::harness::{Server, register, send_signal, shell};

/// As under `nohup`.
#[cfg(target_os = "linux")]
async fn a_signal_that_was_ignored_at_the_start_stays_ignored(
    _: Arc<Server>,
) -> anyhow::Result<()> {
    let program = env!("CARGO_BIN_EXE_seedance-archiver");
    let line = format!("trap '' HUP; exec '{program}' simulator --address 127.0.0.1:0");
    let mut simulator = shell(&line)
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let stderr = simulator.stderr.take().context("no stderr")?;
    let mut lines = BufReader::new(stderr).lines();
    let url = loop {
        let line = lines.next_line().await?.context("the simulator exited")?;
        if let Some(url) = line.strip_prefix("Seedance simulator: ") {
            break url.to_owned();
        }
    };
    // The kernel drops an ignored signal, so there is nothing to wait for.
    let id = simulator.id().context("the simulator exited")?;
    let status = std::fs::read_to_string(format!("/proc/{id}/status"))?;
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = u64::from_str_radix(mask.context("no mask")?.trim(), 16)?;
    ensure!(mask & 1 == 1, "SIGHUP is not ignored: {mask:x}");
    send_signal(&simulator, Signal::HUP)?;
    reqwest::get(url).await?;
    send_signal(&simulator, Signal::TERM)?;
    let status = simulator.wait().await?;
    ensure!(status.success(), "{status}");
    Ok(())
}
#[cfg(target_os = "linux")]
register!(a_signal_that_was_ignored_at_the_start_stays_ignored);
