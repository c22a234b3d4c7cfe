//! `generate --dev`: with a Temporal server and a worker of its own.

use std::{process::Stdio, sync::Arc};

use anyhow::{Context, ensure};
use tokio::{
    io::{AsyncReadExt, BufReader},
    process::Command,
};

use super::{MODEL, only_task};
use crate::{
    command_line::{describe, interrupt, line_after},
    harness::{Fixture, Server, command, register},
};

/// Runs the command with `--dev` in a directory.
fn generate_dev(fixture: &Fixture, prompt: &str) -> Command {
    let mut command = command();
    command
        .args(["generate", "--dev", "--model", MODEL, "--prompt", prompt])
        .env("SEEDANCE_BASE_URL", fixture.simulator.base_url())
        .env("SEEDANCE_API_KEY", fixture.simulator.api_key())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

async fn dev_needs_only_an_api_key(server: Arc<Server>) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let directory = tempfile::tempdir()?;
    let mut command = generate_dev(&fixture, "a kite");
    let output = command.current_dir(&directory).output().await?;
    ensure!(output.status.success(), "{}", describe(&output));
    let id = only_task(&fixture)?;
    let table = String::from_utf8_lossy(&output.stdout);
    let row = table.lines().find(|line| line.contains(&id));
    let row = row.with_context(|| format!("no row for {id} in: {table}"))?;
    let name = row.split_whitespace().last().context("no directory")?;
    let receipt = directory.path().join("seedance-archive").join(name);
    ensure!(receipt.join("manifest.json").is_file(), "{receipt:?}");
    Ok(())
}
register!(dev_needs_only_an_api_key);

/// The Temporal server that knows the submission is gone.
async fn dev_says_how_to_archive_the_task_after_an_interrupt(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let directory = tempfile::tempdir()?;
    let mut command = generate_dev(&fixture, "a kite --simulate running=3600");
    let mut child = command.current_dir(&directory).spawn()?;
    let mut lines = BufReader::new(child.stderr.take().context("no stderr")?);
    line_after(&mut lines, "cgt-").await?;
    interrupt(&child)?;
    let mut rest = String::new();
    lines.read_to_string(&mut rest).await?;
    let status = child.wait().await?;
    ensure!(status.code() == Some(130), "{status}");
    let continued = format!(
        "\n  seedance-archiver archive --dev {}\n",
        only_task(&fixture)?
    );
    ensure!(rest.contains(&continued), "{rest}");
    Ok(())
}
register!(dev_says_how_to_archive_the_task_after_an_interrupt);
