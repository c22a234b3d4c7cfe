//! Receipts that the `gallery` command cannot read.

use std::{
    fs::{File, OpenOptions},
    path::Path,
    sync::Arc,
};

use anyhow::{Context, ensure};
use seedance_archiver_proto::v1::{ArchivedObject, Manifest};
use seedance_archiver_simulator::Script;

use super::generate::{generate, set_prompt};
use crate::harness::{Fixture, Server, browser::Browser, command, register};

/// Size of an object that no machine reads into memory. The file is sparse.
const TEBIBYTE: u64 = 1 << 40;

async fn an_unreadable_receipt_is_a_warning(server: Arc<Server>) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let archive = fixture.config.archive_url.as_str();
    let environment = [("SEEDANCE_ARCHIVE_URL", archive)];
    let empty = generate(&environment, &[]).await?;
    ensure!(empty.report["videos"] == 0, "{}", empty.report);

    let id = fixture.simulator.create(Script::default());
    let manifest = fixture
        .run_lifecycle(&server, &id)
        .await?
        .manifest
        .context("no receipt")?;
    let root = fixture.directory.path();
    for (directory, text) in [
        ("torn", "{\"task_id\": \"cgt"),
        ("foreign", "{\"name\": \"app\"}"),
    ] {
        std::fs::create_dir(root.join(directory))?;
        std::fs::write(root.join(directory).join("manifest.json"), text)?;
    }
    std::fs::create_dir(root.join("large"))?;
    File::create(root.join("large/manifest.json"))?.set_len(TEBIBYTE)?;
    let staged = root.join(".staging/a/manifest.json");
    std::fs::create_dir_all(staged.parent().context("no parent directory")?)?;
    std::fs::write(staged, "{}")?;

    let gallery = generate(&environment, &["--since", "1h"]).await?;
    let bytes: i64 = manifest
        .objects
        .iter()
        .map(|object| object.size_bytes)
        .sum();
    let report = &gallery.report;
    ensure!(
        report["videos"] == 1 && report["bytes"] == bytes && report["links_until"].is_null(),
        "{report}"
    );
    let unreadable = report["unreadable"].as_array().context("no list")?;
    ensure!(unreadable.len() == 3, "{report}");
    for part in [
        "foreign/manifest.json has no task id",
        "large/manifest.json is not a receipt",
        "torn/manifest.json is not a receipt",
    ] {
        ensure!(
            gallery.stderr.contains(part),
            "no {part:?} in {}",
            gallery.stderr
        );
    }
    ensure!(
        gallery.data()?["unreadable"] == 3,
        "the page does not mention the unreadable receipts"
    );

    // The directory holds only the page, and an empty gallery does not replace it.
    let files: Vec<_> = std::fs::read_dir(gallery.directory.path())?.collect::<Result<_, _>>()?;
    ensure!(files.len() == 1, "{files:?}");
    let before = gallery.html()?;
    std::fs::remove_file(manifest.manifest_url.trim_start_matches("file://"))?;
    let output = command()
        .args(["gallery", "--out"])
        .arg(gallery.directory.path())
        .envs(environment)
        .output()
        .await?;
    let stderr = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.code() == Some(1) && stderr.contains("cannot read any of 3 receipts"),
        "{stderr}"
    );
    ensure!(gallery.html()? == before, "the page changed");
    Ok(())
}
register!(an_unreadable_receipt_is_a_warning);

/// Writes a receipt of a task that was created at this time.
fn write_receipt(archive: &Path, task_id: &str, created_at: i64) -> anyhow::Result<()> {
    let video = ArchivedObject {
        name: "video.mp4".to_owned(),
        content_type: "video/mp4".to_owned(),
        size_bytes: 5,
        ..ArchivedObject::default()
    };
    let receipt = Manifest {
        task_id: task_id.to_owned(),
        task_created_at: created_at,
        archived_at: created_at,
        objects: vec![video],
        ..Manifest::default()
    };
    let directory = archive.join(task_id);
    std::fs::create_dir(&directory)?;
    let json = serde_json::to_vec(&receipt)?;
    Ok(std::fs::write(directory.join("manifest.json"), json)?)
}

async fn a_record_that_is_too_large_has_no_prompt(_: Arc<Server>) -> anyhow::Result<()> {
    let archive = tempfile::tempdir()?;
    for id in ["cgt-1", "cgt-2"] {
        write_receipt(archive.path(), id, 1_780_000_000)?;
        let directory = archive.path().join(id);
        std::fs::write(directory.join("task.json"), "{}")?;
        set_prompt(&directory.join("manifest.json"), "a kite")?;
    }
    let large = archive.path().join("cgt-2/task.json");
    let large = OpenOptions::new().write(true).open(large)?;
    large.set_len(TEBIBYTE)?;
    let url = format!("file://{}", archive.path().display());
    let gallery = generate(&[("SEEDANCE_ARCHIVE_URL", &url)], &[]).await?;
    let data = gallery.data()?;
    ensure!(data["videos"][0]["prompt"] == "a kite", "{data}");
    ensure!(data["videos"][1]["id"] == "cgt-2", "{data}");
    ensure!(data["videos"][1]["prompt"].is_null(), "{data}");
    Ok(())
}
register!(a_record_that_is_too_large_has_no_prompt);

/// No `Date` of a browser represents the times of two of the receipts.
async fn a_receipt_with_an_impossible_time_is_shown(_: Arc<Server>) -> anyhow::Result<()> {
    let archive = tempfile::tempdir()?;
    for (id, created_at) in [
        ("cgt-1", 1_780_000_000),
        ("cgt-2", i64::MAX),
        ("cgt-3", i64::MIN),
    ] {
        write_receipt(archive.path(), id, created_at)?;
    }
    let url = format!("file://{}", archive.path().display());
    let gallery = generate(&[("SEEDANCE_ARCHIVE_URL", &url)], &[]).await?;
    let browser = Browser::start().await?;
    let shown = async {
        browser.open(&gallery.url()).await?;
        browser
            .wait_until("document.querySelectorAll('.card').length === 3")
            .await?;
        browser
            .wait_until("document.getElementById('summary').textContent.includes('2026')")
            .await
    };
    let shown = shown.await;
    browser.stop().await?;
    shown
}
register!(
    a_receipt_with_an_impossible_time_is_shown,
    needs = [chromedriver]
);
