//! The recipe for bucket notifications of MinIO, as written.

use std::sync::Arc;

use anyhow::{Context, ensure};
use seedance_archiver_simulator::{Ending, Script};

use super::page;
use crate::harness::{
    Fixture, Server, minio::Minio, receiver::Receiver, register, shell, tools, until,
};

const SECTION: &str = "### MinIO: webhook";

/// Returns the variables that the recipe exports, with the receiver and the directory of the test.
fn variables(
    exports: &str,
    receiver: &Receiver,
    directory: &str,
) -> anyhow::Result<Vec<(String, String)>> {
    let mut variables = Vec::new();
    for line in exports.lines() {
        let export = line.strip_prefix("export ").context("not an export")?;
        let (name, value) = export.split_once('=').context("no value")?;
        let value = match value.trim_matches('"') {
            "https://receiver.example/minio" => receiver.url(),
            "/var/lib/minio-events" => directory.to_owned(),
            value => value.to_owned(),
        };
        variables.push((name.to_owned(), value));
    }
    Ok(variables)
}

async fn minio_notifies_of_each_receipt_once(server: Arc<Server>) -> anyhow::Result<()> {
    let receiver = Receiver::start()?;
    let directory = tempfile::tempdir()?;
    let queue = directory.path().join("queue").display().to_string();
    let [exports, command] = page::blocks(SECTION, "sh")?[..] else {
        anyhow::bail!("other commands");
    };
    let exports = variables(exports, &receiver, &queue)?;
    let minio = Minio::start_with(tools::minio()?, exports).await?;
    let bucket = minio.new_bucket("videos")?;
    let json = page::blocks(SECTION, "json")?.concat();
    std::fs::write(directory.path().join("notification.json"), json)?;
    let environment = minio.environment();
    let endpoint = &environment[0].1;
    ensure!(command.contains("https://minio.example"), "{command}");
    let line = command.replace("https://minio.example", endpoint).replacen(
        "aws",
        &tools::aws()?.display().to_string(),
        1,
    );
    let output = shell(&line)
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .env("AWS_DEFAULT_REGION", "us-east-1")
        .current_dir(directory.path())
        .output()
        .await?;
    ensure!(output.status.success(), "{output:?}");

    let fixture = Fixture::new(&server).await?;
    let _worker = fixture.spawn_worker_with(&server, &bucket.environment())?;
    let failed = fixture.simulator.create(Script {
        ending: Ending::Failed,
        ..Script::default()
    });
    let archived = fixture.simulator.create(Script::default());
    for id in [&failed, &archived] {
        let lifecycle = fixture.start_lifecycle(&server, id).await?;
        lifecycle.result().await?;
    }
    // A second lifecycle finds the receipt and writes none.
    let again = fixture.start_lifecycle(&server, &archived).await?;
    again.result().await?;

    let keys = || -> Vec<String> {
        let events = receiver.received().into_iter();
        let events = events.filter_map(|request| request.event().ok());
        events
            .filter_map(|event| Some(event["Key"].as_str()?.to_owned()))
            .collect()
    };
    until("both endings were notified", || {
        let keys = keys();
        let has = |end: &str| keys.iter().any(|key| key.ends_with(end));
        has(&format!("{archived}/manifest.json")) && has(&format!("{failed}/outcome.json"))
    })
    .await?;
    let notified = keys();
    let names = ["/manifest.json", "/outcome.json"];
    let is_expected = |key: &String| names.iter().any(|name| key.ends_with(name));
    ensure!(notified.iter().all(is_expected), "{notified:?}");
    let mut receipts: Vec<_> = notified
        .iter()
        .filter(|key| key.ends_with("manifest.json"))
        .collect();
    receipts.dedup();
    ensure!(receipts.len() == 1, "{notified:?}");
    let tokens = receiver.received();
    let authorized = |it: &crate::harness::receiver::Received| {
        it.body.is_empty()
            || it
                .header("authorization")
                .is_ok_and(|it| it == "Bearer a-token")
    };
    ensure!(tokens.iter().all(authorized), "{tokens:?}");
    Ok(())
}
register!(minio_notifies_of_each_receipt_once, needs = [minio, aws]);
