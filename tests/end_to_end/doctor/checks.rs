//! All checks of `doctor` together, and its bucket check.

use std::sync::Arc;

use anyhow::{Context, ensure};
use serde_json::Value;
use temporalio_client::NamespacedClient;

use super::setup::{Setup, WRONG_KEY};
use crate::harness::{HOUR, Server, minio::Minio, nexus, register, tools, until_async};

async fn every_check_passes_in_a_working_setup(server: Arc<Server>) -> anyhow::Result<()> {
    let setup = Setup::new(server.clone()).await?;
    let fixture = &setup.fixture;
    let endpoint = nexus::create_endpoint(&server, fixture).await?;
    let report = fixture
        .with_worker(&server, async {
            let run_doctor = async || {
                let (stdout, code) = setup.run_doctor(&["--output", "json"]).await?;
                let report: Value = serde_json::from_str(&stdout)?;
                Ok::<_, anyhow::Error>((report, code))
            };
            until_async("the worker polls all queues", || async {
                let (report, code) = run_doctor().await?;
                Ok(report["warnings"] == 0 && code == Some(0))
            })
            .await?;
            Ok(run_doctor().await?.0)
        })
        .await?;
    let findings = report["findings"].as_array().context("no findings")?;
    for name in [
        "configuration",
        "API of `default`",
        "clock against `default`",
        "Temporal",
        &format!("namespace `{}`", server.client.namespace()),
        "search attributes",
        &format!("task queue `{}`", fixture.config.task_queue),
        &format!("task queue `{}-transfers`", fixture.config.task_queue),
        &format!("task queue `{}-nexus`", fixture.config.task_queue),
        "Nexus endpoint",
    ] {
        let found = findings.iter().find(|finding| finding["name"] == name);
        let found = found.with_context(|| format!("no {name:?} in {report:#}"))?;
        ensure!(found["state"] == "ok" && found["fix"].is_null(), "{found}");
        if name == "Nexus endpoint" {
            ensure!(found["found"] == format!("`{endpoint}`"), "{found}");
        }
    }
    Ok(())
}
register!(every_check_passes_in_a_working_setup);

/// Each of many problems is reported on its own line.
async fn every_check_runs_although_others_fail(server: Arc<Server>) -> anyhow::Result<()> {
    let mut setup = Setup::new(server).await?;
    let namespace = setup.server.with_new_namespace().await?.client;
    setup.set("TEMPORAL_NAMESPACE", namespace.namespace());
    let wrong = setup.fixture.clock.now() - HOUR;
    setup.fixture.simulator.set_date(Some(wrong));
    setup.set_unwritable_archive()?;
    setup.set_short_callback_token();
    setup.set_missing_seal_keys_file();
    let key = setup.write_file("key", WRONG_KEY, 0o644)?;
    let text = format!(
        "[accounts.wrong]\nbase_url = \"{base}\"\napi_key_file = \"{key}\"\n\
         [accounts.page]\nbase_url = \"{page}\"\napi_key = \"{WRONG_KEY}\"\n\
         [accounts.gateway]\nbase_url = \"{base}\"\napi_key = \"{right}\"\n\
         task_path = \"contents/generations/tasks?id={{task_id}}\"\n\
         [accounts.typo]\npreset = \"byteplus\"\napi_keyy = \"{WRONG_KEY}\"\n",
        right = setup.fixture.simulator.api_key(),
        base = setup.fixture.simulator.base_url(),
        page = setup.fixture.simulator.base_url().replace("/api/v3", "/v1"),
    );
    let accounts = setup.write_file("accounts.toml", &text, 0o644)?;
    setup.set("SEEDANCE_ACCOUNTS_FILE", accounts);

    let (stdout, code) = setup.run_doctor(&[]).await?;
    ensure!(code == Some(1), "{stdout}");
    for part in [
        "accounts.typo.api_keyy is an unknown key",
        "accounts.typo has no API key",
        "SEEDANCE_CALLBACK_TOKEN must be",
        "SEEDANCE_SEAL_KEYS_FILE must name",
        "key: API key of `wrong`: accessible to every user",
        "accounts.toml: accounts with secrets: accessible to every user",
        "API of `wrong`: ",
        "API of `page`: ",
        "clock against `wrong`: ",
        "search attributes: SeedanceTaskId, ",
        "-transfers`: no worker",
        "-nexus`: no worker",
        "Nexus endpoint: no endpoint has the target",
        "in-the-way/videos",
    ] {
        let line = stdout.lines().find(|line| line.contains(part));
        let line = line.with_context(|| format!("no {part:?} in {stdout}"))?;
        ensure!(line.contains("; fix: "), "{line}");
    }
    let gateway = "ok        API of `gateway`: ";
    ensure!(
        stdout.lines().any(|line| line.starts_with(gateway)),
        "{stdout}"
    );
    Ok(())
}
register!(every_check_runs_although_others_fail);

async fn a_bucket_that_cannot_be_used_is_reported_with_its_fix(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let minio = Minio::start(tools::minio()?).await?;
    let bucket = minio.new_bucket("videos")?;
    let mut setup = Setup::new(server).await?;
    for (name, value) in minio.environment() {
        setup.set(name, value);
    }
    let wrong_key = ("AWS_SECRET_ACCESS_KEY", WRONG_KEY);
    for (url, (name, value), line) in [
        (
            "s3://videos/a",
            ("AWS_REGION", "us-east-1"),
            ["ok", "writable, and existing objects are not overwritten"],
        ),
        (
            "s3://nowhere",
            ("AWS_REGION", "us-east-1"),
            ["failed", "fix: create the bucket"],
        ),
        (
            "s3://videos/a",
            wrong_key,
            ["failed", "fix: give the worker the store's keys"],
        ),
    ] {
        setup.set("SEEDANCE_ARCHIVE_URL", url);
        setup.set(name, value);
        let (stdout, _) = setup.run_doctor(&[]).await?;
        let name = format!("archive {url} of `default`");
        let found = stdout.lines().find(|line| line.contains(&name));
        let found = found.with_context(|| format!("no {name} in {stdout}"))?;
        ensure!(line.iter().all(|part| found.contains(part)), "{found}");
        ensure!(found.starts_with(line[0]), "{found}");
    }
    ensure!(
        bucket.keys().await?.is_empty(),
        "a test object was left behind in the bucket"
    );
    Ok(())
}
register!(
    a_bucket_that_cannot_be_used_is_reported_with_its_fix,
    needs = [minio]
);
