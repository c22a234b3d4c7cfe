//! Startup of a worker: its log, its health, and errors in its configuration.

use std::{net::TcpListener, sync::Arc};

use anyhow::{Context, ensure};

use super::process::WorkerProcess;
use crate::harness::{Fixture, Server, command, register};

async fn startup_and_shutdown_are_logged_in_order(server: Arc<Server>) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let mut worker = WorkerProcess::start(&fixture, &server, &[])?;
    let polling = worker.wait_for_log("polling").await?;
    ensure!(polling["queues"] == "query,transfer", "{polling}");
    ensure!(worker.get("/livez").await? == (200, "alive\n".to_owned()));
    worker.wait_for_readiness("polling").await?;
    ensure!(worker.get("/readyz").await?.0 == 200, "not ready");
    ensure!(worker.get("/").await?.0 == 404, "GET / did not return 404");
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
            "no `{message}`, or out of order:\n{}",
            log.join("\n")
        );
    }
    let configured = worker.log_event("configured").context("no configuration")?;
    let settings = configured["settings"].as_str().context("no settings")?;
    for setting in [
        format!("task_queue={}", fixture.config.task_queue),
        "accounts.default.api_key=(a secret)".to_owned(),
        "transfer.slots=32".to_owned(),
    ] {
        ensure!(settings.contains(&setting), "no {setting}: {settings}");
    }
    let key = fixture.simulator.api_key();
    ensure!(
        !log.iter().any(|line| line.contains(key)),
        "the key is in the log"
    );
    Ok(())
}
register!(startup_and_shutdown_are_logged_in_order);

async fn every_configuration_error_is_reported_before_a_port_is_bound(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    // The port is in use, so binding it first would fail with a different error.
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?.to_string();
    let mut worker = WorkerProcess::start(
        &fixture,
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
    let status = worker.wait_for_exit().await?;
    ensure!(status.code() == Some(78), "{status}");
    let log = worker.log().join("\n");
    for error in [
        "the configuration has 6 errors",
        "SEEDANCE_ARCHIVE_URL is not a URL",
        "SEEDANCE_TRANSFER_SLOTS must be an integer from 1 to 32",
        "SEEDANCE_LOG_FORMAT must be `text` or `json`",
        "TEMPORAL_WORKER_BUILD_ID is set without TEMPORAL_DEPLOYMENT_NAME",
        "TEMPORAL_CODEC_ENDPOINT must be a URL",
        "OTEL_EXPORTER_OTLP_ENDPOINT must be the URL of a collector",
    ] {
        ensure!(log.contains(error), "no `{error}`: {log}");
    }
    ensure!(!log.contains("listening"), "{log}");
    Ok(())
}
register!(every_configuration_error_is_reported_before_a_port_is_bound);

async fn the_health_command_reports_the_state_of_the_worker(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let mut worker = WorkerProcess::start(&fixture, &server, &[])?;
    let admin_url = worker.admin_url().await?;
    worker.wait_for_readiness("polling").await?;
    let health = async |arguments: &[&str]| {
        let port = admin_url.rsplit(':').next().unwrap_or_default();
        let output = command()
            .arg("health")
            .args(arguments)
            // As in a container.
            .env("SEEDANCE_ADMIN_ADDRESS", format!("0.0.0.0:{port}"))
            .output();
        let output = output.await?;
        let stdout = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        anyhow::Ok((output.status.code(), stdout))
    };
    ensure!(health(&[]).await? == (Some(0), "alive".to_owned()));
    ensure!(health(&["--ready"]).await? == (Some(0), "polling".to_owned()));
    worker.stop().await?;
    ensure!(health(&[]).await? == (Some(1), String::new()));
    Ok(())
}
register!(the_health_command_reports_the_state_of_the_worker);

async fn a_syntax_error_in_temporal_toml_does_not_reveal_the_key(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let file = fixture.directory.path().join("temporal.toml");
    std::fs::write(&file, "[profile.default]\napi_key = \"a-secret\n")?;
    let file = file.display().to_string();
    let variables = [("TEMPORAL_CONFIG_FILE", file.as_str())];
    let mut worker = WorkerProcess::start(&fixture, &server, &variables)?;
    let status = worker.wait_for_exit().await?;
    ensure!(status.code() == Some(78), "{status}");
    let log = worker.log().join("\n");
    ensure!(
        log.contains("line 2"),
        "the error does not name the line: {log}"
    );
    ensure!(!log.contains("a-secret"), "the key is in the log: {log}");
    Ok(())
}
register!(a_syntax_error_in_temporal_toml_does_not_reveal_the_key);
