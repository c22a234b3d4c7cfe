//! What happens if the Temporal CLI is neither installed nor in the cache, and cannot be downloaded.

use std::{process::Stdio, sync::Arc};

use anyhow::{Context, ensure};
use rustix::process::{Pid, test_kill_process};
use tokio::io::BufReader;

use super::machine::BareMachine;
use crate::{
    command_line::{describe, interrupt, line_after},
    harness::{Server, command, register, until},
};

async fn a_missing_temporal_cli_is_reported_with_every_attempt_to_find_one(
    _: Arc<Server>,
) -> anyhow::Result<()> {
    let output = command()
        .arg("demo")
        .env("SEEDANCE_TEMPORAL_CLI", "/nowhere/temporal")
        .output()
        .await?;
    ensure!(output.status.code() == Some(1), "{}", describe(&output));
    let stderr = String::from_utf8_lossy(&output.stderr);
    ensure!(
        stderr.contains("SEEDANCE_TEMPORAL_CLI: no such file: `/nowhere/temporal`"),
        "{stderr}"
    );

    let machine = BareMachine::new("echo 'no such module' >&2; exit 1")?;
    let mut demo = machine.command();
    // As if it was not set.
    demo.arg("demo").env("SEEDANCE_TEMPORAL_CLI", "");
    let output = demo.output().await?;
    ensure!(output.status.code() == Some(1), "{}", describe(&output));
    let stderr = String::from_utf8_lossy(&output.stderr);
    for part in [
        "`temporal` on PATH",
        "download: ",
        "`go build`: ",
        "no such module",
        "fix: one of",
    ] {
        ensure!(stderr.contains(part), "no {part:?} in {stderr}");
    }
    Ok(())
}
register!(a_missing_temporal_cli_is_reported_with_every_attempt_to_find_one);

async fn a_program_gets_no_secrets(_: Arc<Server>) -> anyhow::Result<()> {
    const SECRETS: [&str; 7] = [
        "SEEDANCE_API_KEY",
        "SEEDANCE_CALLBACK_TOKEN",
        "AWS_SECRET_ACCESS_KEY",
        "AZURE_STORAGE_ACCOUNT_KEY",
        "GOOGLE_SERVICE_ACCOUNT_KEY",
        "TEMPORAL_API_KEY",
        "OTEL_EXPORTER_OTLP_HEADERS",
    ];
    let secrets = SECRETS.map(|name| (name, "very-secret"));
    let go = BareMachine::new("/usr/bin/env >../environment; exit 1")?;
    go.command().arg("demo").envs(secrets).output().await?;
    let server = BareMachine::new("exit 1")?;
    let cli = server.program(
        "cli",
        &format!(
            "/usr/bin/env >'{}'; exit 1",
            server.file("environment").display()
        ),
    )?;
    let mut demo = server.command();
    demo.arg("demo")
        .envs(secrets)
        .env("SEEDANCE_TEMPORAL_CLI", cli);
    demo.output().await?;
    for environment in [go.cache().join("environment"), server.file("environment")] {
        let environment = std::fs::read_to_string(environment)?;
        ensure!(environment.contains("PATH="), "{environment}");
        ensure!(!environment.contains("very-secret"), "{environment}");
    }
    Ok(())
}
register!(a_program_gets_no_secrets);

async fn ctrl_c_stops_the_build_of_the_temporal_server(_: Arc<Server>) -> anyhow::Result<()> {
    let machine = BareMachine::new("echo $$ >../pid; exec /bin/sleep 3600")?;
    let mut demo = machine
        .command()
        .arg("demo")
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let mut stderr = BufReader::new(demo.stderr.take().context("no stderr")?);
    line_after(&mut stderr, "building the Temporal CLI v1.5.1 with Go").await?;
    let pid_file = machine.cache().join("pid");
    let pid = || std::fs::read_to_string(&pid_file).ok()?.trim().parse().ok();
    until("the build has started", || pid().is_some()).await?;
    let pid = pid().and_then(Pid::from_raw).context("no process id")?;

    interrupt(&demo)?;
    let status = demo.wait().await?;
    ensure!(status.code() == Some(130), "{status}");
    until("the build has stopped", || test_kill_process(pid).is_err()).await
}
register!(ctrl_c_stops_the_build_of_the_temporal_server);
