//! The examples as processes, and their output.

use std::process::Output;

use anyhow::{Context, ensure};
use seedance_archiver_proto::{names, v1::Manifest};
use tokio::process::Command;

use crate::harness::{Fixture, Server, read_local};

/// Makes a fixture use the default task queue, which the examples expect.
pub(super) fn on_default_task_queue(mut fixture: Fixture) -> Fixture {
    fixture.config.task_queue = names::TASK_QUEUE.into();
    fixture
}

/// Runs an example to its end.
pub(super) async fn run(server: &Server, mut command: Command) -> anyhow::Result<Output> {
    // An empty profile, so that the configuration of the user who runs the tests is not read.
    let configuration = tempfile::NamedTempFile::new()?;
    std::fs::write(&configuration, "[profile.default]\n")?;
    command
        .envs(server.environment())
        .env("TEMPORAL_CONFIG_FILE", configuration.path())
        .stdin(std::process::Stdio::null())
        .kill_on_drop(true);
    Ok(command.output().await?)
}

/// Reads the receipt whose URL an example printed.
pub(super) fn receipt(output: &Output) -> anyhow::Result<Manifest> {
    ensure!(output.status.success(), "{}", describe(output));
    let line = last_line(output)?;
    let url = line.strip_prefix("archived ").context(line.clone())?;
    Ok(serde_json::from_slice(&read_local(url)?)?)
}

/// Checks that an example failed, and that the last line on its standard output starts with `line`.
pub(super) fn assert_failed(output: &Output, line: &str) -> anyhow::Result<()> {
    ensure!(output.status.code() == Some(1), "{}", describe(output));
    ensure!(last_line(output)?.starts_with(line), "{}", describe(output));
    Ok(())
}

/// Returns the last line on standard output.
pub(super) fn last_line(output: &Output) -> anyhow::Result<String> {
    let stdout = String::from_utf8_lossy(&output.stdout);
    let line = stdout.lines().last();
    let line = line.with_context(|| format!("nothing on stdout: {}", describe(output)))?;
    Ok(line.to_owned())
}

/// Formats the exit status and the output of a process for an error message.
pub(super) fn describe(output: &Output) -> String {
    let [stdout, stderr] =
        [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text));
    format!("{}: {stdout}\n{stderr}", output.status)
}
