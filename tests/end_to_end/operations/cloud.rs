//! Connections to Temporal Cloud, emulated by a TLS proxy in front of the server.

use std::sync::Arc;

use anyhow::{Context, ensure};
use seedance_archiver_simulator::Script;

use super::process::WorkerProcess;
use crate::harness::{
    Fixture, Server, register,
    tls_proxy::{Authentication, TlsProxy},
};

const API_KEY: &str = "cloud-key";
/// The proxy's certificate expires at the beginning of this year.
const EXPIRY_YEAR: i32 = 2200;

/// Starts a worker that connects through the proxy, checks that it archives a video, and returns its log.
async fn check_that_it_archives(
    server: &Server,
    proxy: &TlsProxy,
    variables: &[(&str, &str)],
) -> anyhow::Result<Vec<String>> {
    let fixture = Fixture::new(server).await?;
    let id = fixture.simulator.create(Script::default());
    let proxied = server.at(proxy.temporal_address())?;
    let mut worker = WorkerProcess::start(&fixture, &proxied, variables)?;
    worker.wait_for_log("polling").await?;
    let result = fixture.start_lifecycle(server, &id).await?.result().await?;
    ensure!(result.outcome == "archived", "{result:?}");
    fixture.assert_archived(&id, &result.manifest.context("no receipt")?)?;
    worker.stop().await?;
    Ok(worker.log())
}

/// Starts a worker that cannot connect through the proxy, and returns its log.
async fn log_of_rejected_worker(
    server: &Server,
    proxy: &TlsProxy,
    variables: &[(&str, &str)],
) -> anyhow::Result<String> {
    let fixture = Fixture::new(server).await?;
    let proxied = server.at(proxy.temporal_address())?;
    let mut worker = WorkerProcess::start(&fixture, &proxied, variables)?;
    let status = worker.wait_for_exit().await?;
    ensure!(!status.success(), "the worker connected");
    let log = worker.log().join("\n");
    ensure!(!log.contains("listening"), "{log}");
    Ok(log)
}

async fn a_worker_connects_with_mutual_tls(server: Arc<Server>) -> anyhow::Result<()> {
    let proxy = TlsProxy::start(&server.address, Authentication::Certificate, EXPIRY_YEAR).await?;
    let [ca, certificate, key] =
        ["ca.pem", "client.pem", "client.key"].map(|name| proxy.file(name).display().to_string());
    let ca = ("TEMPORAL_TLS_SERVER_CA_CERT_PATH", ca.as_str());
    let certificate = ("TEMPORAL_TLS_CLIENT_CERT_PATH", certificate.as_str());
    let key = ("TEMPORAL_TLS_CLIENT_KEY_PATH", key.as_str());
    check_that_it_archives(&server, &proxy, &[ca, certificate, key]).await?;
    let log = log_of_rejected_worker(&server, &proxy, &[ca]).await?;
    ensure!(
        log.contains("cannot reach Temporal at `https://localhost"),
        "{log}"
    );
    let missing = ("TEMPORAL_TLS_CLIENT_KEY_PATH", "/nowhere/client.key");
    let log = log_of_rejected_worker(&server, &proxy, &[ca, certificate, missing]).await?;
    ensure!(log.contains("invalid Temporal configuration"), "{log}");
    Ok(())
}
register!(a_worker_connects_with_mutual_tls, takes_long);

async fn a_worker_connects_with_an_api_key(server: Arc<Server>) -> anyhow::Result<()> {
    let proxy = TlsProxy::start(
        &server.address,
        Authentication::ApiKeys(&[API_KEY]),
        EXPIRY_YEAR,
    )
    .await?;
    let ca = proxy.file("ca.pem").display().to_string();
    let ca = ("TEMPORAL_TLS_SERVER_CA_CERT_PATH", ca.as_str());
    let log = check_that_it_archives(&server, &proxy, &[ca, ("TEMPORAL_API_KEY", API_KEY)]).await?;
    ensure!(!log.join("\n").contains(API_KEY), "the key is in the log");
    let wrong = "not-the-key";
    let log = log_of_rejected_worker(&server, &proxy, &[ca, ("TEMPORAL_API_KEY", wrong)]).await?;
    ensure!(log.contains("Request unauthorized"), "{log}");
    ensure!(!log.contains(wrong), "the key is in the log: {log}");
    Ok(())
}
register!(a_worker_connects_with_an_api_key, takes_long);

async fn an_expired_server_certificate_is_reported(server: Arc<Server>) -> anyhow::Result<()> {
    let proxy = TlsProxy::start(&server.address, Authentication::ApiKeys(&[API_KEY]), 2021).await?;
    let ca = proxy.file("ca.pem").display().to_string();
    let ca = ("TEMPORAL_TLS_SERVER_CA_CERT_PATH", ca.as_str());
    let log = log_of_rejected_worker(&server, &proxy, &[ca, ("TEMPORAL_API_KEY", API_KEY)]).await?;
    ensure!(log.contains("certificate expired"), "{log}");
    Ok(())
}
register!(an_expired_server_certificate_is_reported, takes_long);
