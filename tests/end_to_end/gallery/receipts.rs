//! Receipts that the `gallery` command cannot read.

use std::sync::Arc;

use anyhow::{Context, ensure};
use seedance_archiver_simulator::Script;

use super::generate::generate;
use crate::harness::{Fixture, Server, command, register};

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
    ensure!(unreadable.len() == 2, "{report}");
    for part in [
        "foreign/manifest.json has no task id",
        "torn/manifest.json is not a receipt",
    ] {
        ensure!(
            gallery.stderr.contains(part),
            "no {part:?} in {}",
            gallery.stderr
        );
    }
    ensure!(
        gallery.data()?["unreadable"] == 2,
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
        output.status.code() == Some(1) && stderr.contains("cannot read any of 2 receipts"),
        "{stderr}"
    );
    ensure!(gallery.html()? == before, "the page changed");
    Ok(())
}
register!(an_unreadable_receipt_is_a_warning);
