//! Temporal Cloud, as far as a TLS proxy before the dev server is like it.

use std::sync::Arc;

use anyhow::{Context, ensure};
use seedance_archiver_simulator::Script;

use super::{
    process::Process,
    tls::{Front, Wants},
};
use crate::{
    Suite,
    world::{Server, World},
};

const API_KEY: &str = "cloud-key";
/// Good for as long as these tests are.
const VALID: i32 = 2200;

pub(crate) fn tests(suite: Suite) -> Suite {
    suite
        .test("operations::mutual_tls_lets_a_worker_in", mutual_tls)
        .test("operations::an_api_key_lets_a_worker_in", api_key)
        .test("operations::an_expired_certificate_is_named", expired)
}

/// A worker behind this front, which has to archive.
async fn archives(
    server: &Server,
    front: &Front,
    variables: &[(&str, &str)],
) -> anyhow::Result<Vec<String>> {
    let world = World::new(server).await?;
    let id = world.simulator.create(Script::default());
    let address = front.temporal_address();
    let mut worker = Process::worker_with(&world, &address, variables, &[])?;
    worker.says("polling").await?;
    let result = world.start(server, &id).await?.result().await?;
    ensure!(result.outcome == "archived", "{result:?}");
    world.holds_exactly(&id, &result.manifest.context("no receipt")?)?;
    worker.stop().await?;
    Ok(worker.log())
}

/// A worker that is not let in, and what it says.
async fn is_refused(
    server: &Server,
    front: &Front,
    variables: &[(&str, &str)],
) -> anyhow::Result<String> {
    let world = World::new(server).await?;
    let address = front.temporal_address();
    let mut worker = Process::worker_with(&world, &address, variables, &[])?;
    let status = worker.ended().await?;
    ensure!(!status.success(), "it was let in");
    let log = worker.log().join("\n");
    ensure!(!log.contains("listening"), "{log}");
    Ok(log)
}

async fn mutual_tls(server: Arc<Server>) -> anyhow::Result<()> {
    let front = Front::of(&server.address, Wants::Certificate, VALID).await?;
    let [ca, certificate, key] =
        ["ca.pem", "client.pem", "client.key"].map(|it| front.file(it).display().to_string());
    let ca = ("TEMPORAL_TLS_SERVER_CA_CERT_PATH", ca.as_str());
    let certificate = ("TEMPORAL_TLS_CLIENT_CERT_PATH", certificate.as_str());
    let key = ("TEMPORAL_TLS_CLIENT_KEY_PATH", key.as_str());
    archives(&server, &front, &[ca, certificate, key]).await?;
    let log = is_refused(&server, &front, &[ca]).await?;
    ensure!(
        log.contains("cannot reach Temporal at `https://localhost"),
        "{log}"
    );
    let missing = ("TEMPORAL_TLS_CLIENT_KEY_PATH", "/nowhere/client.key");
    let log = is_refused(&server, &front, &[ca, certificate, missing]).await?;
    ensure!(
        log.contains("the Temporal configuration cannot be used"),
        "{log}"
    );
    Ok(())
}

async fn api_key(server: Arc<Server>) -> anyhow::Result<()> {
    let front = Front::of(&server.address, Wants::ApiKey(API_KEY), VALID).await?;
    let ca = front.file("ca.pem").display().to_string();
    let ca = ("TEMPORAL_TLS_SERVER_CA_CERT_PATH", ca.as_str());
    let log = archives(&server, &front, &[ca, ("TEMPORAL_API_KEY", API_KEY)]).await?;
    ensure!(!log.join("\n").contains(API_KEY), "the key is told");
    let wrong = "not-the-key";
    let log = is_refused(&server, &front, &[ca, ("TEMPORAL_API_KEY", wrong)]).await?;
    ensure!(log.contains("Request unauthorized"), "{log}");
    ensure!(!log.contains(wrong), "the key is told: {log}");
    Ok(())
}

async fn expired(server: Arc<Server>) -> anyhow::Result<()> {
    let front = Front::of(&server.address, Wants::ApiKey(API_KEY), 2021).await?;
    let ca = front.file("ca.pem").display().to_string();
    let ca = ("TEMPORAL_TLS_SERVER_CA_CERT_PATH", ca.as_str());
    let log = is_refused(&server, &front, &[ca, ("TEMPORAL_API_KEY", API_KEY)]).await?;
    ensure!(log.contains("certificate expired"), "{log}");
    Ok(())
}
