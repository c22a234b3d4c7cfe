//! A start reads as a log, and what is wrong is told before anything is done.

use std::{net::TcpListener, sync::Arc};

use anyhow::{Context, ensure};

use super::process::Process;
use crate::{
    Suite,
    world::{Server, World, command},
};

pub(crate) fn tests(suite: Suite) -> Suite {
    suite
        .test("operations::a_start_reads_as_a_log", reads_as_a_log)
        .test(
            "operations::all_faults_are_told_before_a_port_is_bound",
            all_faults,
        )
        .test("operations::health_is_asked_by_a_subcommand", health)
        .test(
            "operations::a_broken_temporal_toml_keeps_its_key",
            broken_toml,
        )
}

async fn reads_as_a_log(server: Arc<Server>) -> anyhow::Result<()> {
    let world = World::new(&server).await?;
    let mut worker = Process::worker(&world, &server, &[])?;
    let polling = worker.says("polling").await?;
    ensure!(polling["queues"] == "query,transfer", "{polling}");
    ensure!(worker.get("/livez").await? == (200, "alive\n".to_owned()));
    ensure!(worker.get("/readyz").await? == (200, "polling\n".to_owned()));
    ensure!(worker.get("/").await?.0 == 404, "something else answers");
    let status = worker.stop().await?;
    ensure!(status.code() == Some(0), "{status}");

    let log = worker.log();
    let mut rest = log.iter();
    for message in [
        "starting",
        "configured",
        "connected to Temporal",
        "checked the archive",
        "listening for health checks and metrics",
        "polling",
        "shutdown requested: draining",
        "stopped",
    ] {
        let part = format!("\"message\":\"{message}\"");
        ensure!(
            rest.any(|line| line.contains(&part)),
            "no `{message}`, or not in its place:\n{}",
            log.join("\n")
        );
    }
    let configured = worker.event("configured").context("no configuration")?;
    let settings = configured["settings"].as_str().context("no settings")?;
    for setting in [
        format!("task_queue={}", world.config.task_queue),
        "accounts.default.api_key=(a secret)".to_owned(),
        "transfer.slots=32".to_owned(),
    ] {
        ensure!(settings.contains(&setting), "no {setting}: {settings}");
    }
    let key = world.simulator.api_key();
    ensure!(
        !log.iter().any(|line| line.contains(key)),
        "the key is told"
    );
    Ok(())
}

async fn all_faults(server: Arc<Server>) -> anyhow::Result<()> {
    let world = World::new(&server).await?;
    // A port that is taken: whoever binds it first would fail with another fault.
    let taken = TcpListener::bind("127.0.0.1:0")?;
    let address = taken.local_addr()?.to_string();
    let mut worker = Process::worker(
        &world,
        &server,
        &[
            ("SEEDANCE_ADMIN_ADDRESS", address.as_str()),
            ("SEEDANCE_ARCHIVE_URL", "videos"),
            ("SEEDANCE_TRANSFER_SLOTS", "many"),
            ("SEEDANCE_LOG_FORMAT", "xml"),
            ("TEMPORAL_WORKER_BUILD_ID", "v1"),
            ("TEMPORAL_CODEC_ENDPOINT", "codec"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "not a collector"),
        ],
    )?;
    let status = worker.ended().await?;
    ensure!(status.code() == Some(78), "{status}");
    let log = worker.log().join("\n");
    for fault in [
        "the configuration has 6 errors",
        "SEEDANCE_ARCHIVE_URL is not a URL",
        "SEEDANCE_TRANSFER_SLOTS must be an integer from 1 to 32",
        "SEEDANCE_LOG_FORMAT must be `text` or `json`",
        "TEMPORAL_WORKER_BUILD_ID is set without TEMPORAL_DEPLOYMENT_NAME",
        "TEMPORAL_CODEC_ENDPOINT must be a URL",
        "OTEL_EXPORTER_OTLP_ENDPOINT must be the URL of a collector",
    ] {
        ensure!(log.contains(fault), "no `{fault}`: {log}");
    }
    ensure!(!log.contains("listening"), "{log}");
    Ok(())
}

async fn health(server: Arc<Server>) -> anyhow::Result<()> {
    let world = World::new(&server).await?;
    let mut worker = Process::worker(&world, &server, &[])?;
    let admin = worker.admin().await?;
    worker.says("polling").await?;
    let ask = async |arguments: &[&str]| {
        let port = admin.rsplit(':').next().unwrap_or_default();
        let output = command()
            .arg("health")
            .args(arguments)
            // What a container has in its environment.
            .env("SEEDANCE_ADMIN_ADDRESS", format!("0.0.0.0:{port}"))
            .output();
        let output = output.await?;
        let said = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        anyhow::Ok((output.status.code(), said))
    };
    ensure!(ask(&[]).await? == (Some(0), "alive".to_owned()));
    ensure!(ask(&["--ready"]).await? == (Some(0), "polling".to_owned()));
    worker.stop().await?;
    ensure!(ask(&[]).await? == (Some(1), String::new()));
    Ok(())
}

async fn broken_toml(server: Arc<Server>) -> anyhow::Result<()> {
    let world = World::new(&server).await?;
    let file = world.directory.path().join("temporal.toml");
    std::fs::write(&file, "[profile.default]\napi_key = \"a-secret\n")?;
    let file = file.display().to_string();
    let variables = [("TEMPORAL_CONFIG_FILE", file.as_str())];
    let mut worker = Process::worker(&world, &server, &variables)?;
    let status = worker.ended().await?;
    ensure!(status.code() == Some(78), "{status}");
    let log = worker.log().join("\n");
    ensure!(log.contains("line 2"), "where is not told: {log}");
    ensure!(!log.contains("a-secret"), "the key is told: {log}");
    Ok(())
}
