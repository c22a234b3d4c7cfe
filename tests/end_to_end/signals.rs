//! Signals that commands obey, and that they ignore.

use std::{process::Stdio, sync::Arc};

use anyhow::{Context, ensure};
use rustix::process::Signal;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};

use crate::harness::{Server, command, register, send_signal, shell};

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

async fn ctrl_c_ends_a_command_that_reads_standard_input(_: Arc<Server>) -> anyhow::Result<()> {
    // More than the buffer of a pipe: once it is written, the command reads.
    let blank_lines = vec![b'\n'; 1024 * 1024];
    for subcommand in ["archive", "generate"] {
        let mut process = command()
            .args([subcommand, "-"])
            .stdin(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let mut stdin = process.stdin.take().context("no stdin")?;
        stdin.write_all(&blank_lines).await?;
        send_signal(&process, Signal::INT)?;
        let status = process.wait().await?;
        ensure!(status.code() == Some(130), "{subcommand}: {status}");
    }
    Ok(())
}
register!(ctrl_c_ends_a_command_that_reads_standard_input);
