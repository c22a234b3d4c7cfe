//! The archive as a page: what it shows in Chromium, how its links work, and what it does not let in.

mod bucket;
mod chromium;
mod many;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context, ensure};
use seedance_archiver_simulator::Script;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    Suite, tools,
    world::{Server, World, command},
};

pub(crate) fn tests(suite: Suite) -> Suite {
    let (has_driver, driver) = tools::split(tools::chromedriver());
    let for_many = driver.clone();
    let for_bucket = driver.clone();
    let (has_minio, minio) = tools::split(tools::minio());
    let drivers = || tools::split(tools::chromedriver()).0;
    suite
        .test(
            "gallery::a_receipt_that_cannot_be_read_is_a_warning",
            unreadable,
        )
        .test_with(
            "gallery::shows_plays_and_finds_videos",
            has_driver,
            |server| chromium::shows_an_archive(server, driver),
        )
        .test_with("gallery::is_quick_over_5000_videos", drivers(), |_| {
            many::is_quick(for_many)
        })
        .test_with(
            "gallery::signed_links_to_a_bucket_work",
            has_minio.and(drivers()),
            |server| bucket::signed_links_work(server, minio, for_bucket),
        )
}

/// What `gallery` has made, and what it has said.
struct Made {
    folder: TempDir,
    report: Value,
    errors: String,
}

impl Made {
    fn page(&self) -> PathBuf {
        self.folder.path().join("index.html")
    }

    fn url(&self) -> String {
        format!("file://{}", self.page().display())
    }

    fn html(&self) -> anyhow::Result<String> {
        Ok(std::fs::read_to_string(self.page())?)
    }

    /// What the page knows of each video.
    fn data(&self) -> anyhow::Result<Value> {
        let html = self.html()?;
        let (_, data) = html
            .split_once(r#"<script type="application/json" id="data">"#)
            .context("no data")?;
        let (data, _) = data.split_once("</script>").context("no end")?;
        Ok(serde_json::from_str(data)?)
    }
}

/// Makes the page of an archive.
async fn make(environment: &[(&str, &str)], arguments: &[&str]) -> anyhow::Result<Made> {
    let folder = tempfile::tempdir()?;
    let output = command()
        .args(["gallery", "--output", "json", "--out"])
        .arg(folder.path())
        .args(arguments)
        .envs(environment.iter().copied())
        .output()
        .await?;
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(output.status.success(), "{}: {errors}", output.status);
    let report = serde_json::from_slice(&output.stdout).context("it printed no JSON")?;
    Ok(Made {
        folder,
        report,
        errors,
    })
}

/// Gives the record beside a receipt a prompt, as some services do.
fn set_prompt(receipt: &Path, prompt: &str) -> anyhow::Result<()> {
    let path = receipt.with_file_name("task.json");
    let mut record: Value = serde_json::from_slice(&std::fs::read(&path)?)?;
    record["revised_prompt"] = json!(prompt);
    Ok(std::fs::write(&path, record.to_string())?)
}

async fn unreadable(server: Arc<Server>) -> anyhow::Result<()> {
    let world = World::new(&server).await?;
    let archive = world.config.archive_url.as_str();
    let environment = [("SEEDANCE_ARCHIVE_URL", archive)];
    let empty = make(&environment, &[]).await?;
    ensure!(empty.report["videos"] == 0, "{}", empty.report);

    let id = world.simulator.create(Script::default());
    let manifest = world
        .run(&server, &id)
        .await?
        .manifest
        .context("no receipt")?;
    let root = world.directory.path();
    for (folder, text) in [
        ("torn", "{\"task_id\": \"cgt"),
        ("foreign", "{\"name\": \"app\"}"),
    ] {
        std::fs::create_dir(root.join(folder))?;
        std::fs::write(root.join(folder).join("manifest.json"), text)?;
    }
    let staged = root.join(".staging/a/manifest.json");
    std::fs::create_dir_all(staged.parent().context("no folder")?)?;
    std::fs::write(staged, "{}")?;

    let made = make(&environment, &["--since", "1h"]).await?;
    let bytes: i64 = manifest.objects.iter().map(|it| it.size_bytes).sum();
    let report = &made.report;
    ensure!(
        report["videos"] == 1 && report["bytes"] == bytes && report["links_until"].is_null(),
        "{report}"
    );
    let unreadable = report["unreadable"].as_array().context("no list")?;
    ensure!(unreadable.len() == 2, "{report}");
    for words in [
        "foreign/manifest.json has no task id",
        "torn/manifest.json is not a receipt",
    ] {
        ensure!(
            made.errors.contains(words),
            "no {words:?} in {}",
            made.errors
        );
    }
    ensure!(made.data()?["unreadable"] == 2, "the page does not tell");

    // Nothing but the page is left, and a page is not replaced by one of nothing.
    let files: Vec<_> = std::fs::read_dir(made.folder.path())?.collect::<Result<_, _>>()?;
    ensure!(files.len() == 1, "{files:?}");
    let before = made.html()?;
    std::fs::remove_file(manifest.manifest_url.trim_start_matches("file://"))?;
    let output = command()
        .args(["gallery", "--out"])
        .arg(made.folder.path())
        .envs(environment)
        .output()
        .await?;
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.code() == Some(1) && errors.contains("cannot read any of 2 receipts"),
        "{errors}"
    );
    ensure!(made.html()? == before, "the page has changed");
    Ok(())
}
