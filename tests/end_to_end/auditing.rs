//! `verify`, which compares the archive with its receipts, and `clean`, which removes the staged objects that
//! killed workers left behind.

use std::{process::Output, sync::Arc};

use anyhow::{Context, ensure};
use seedance_archiver_simulator::Script;
use serde_json::Value;

use crate::harness::{Fixture, Server, command, register, task_prefix};

/// Id of an attempt.
const ATTEMPT: &str = "8f14e45f-ceea-4a7b-9f2b-3d1c5d0e6a11";

/// Runs a command, and returns its exit code and its standard output.
async fn run(fixture: &Fixture, arguments: &[&str]) -> anyhow::Result<(Option<i32>, String)> {
    let output: Output = command()
        .args(arguments)
        .env("SEEDANCE_ARCHIVE_URL", fixture.config.archive_url.as_str())
        .output()
        .await?;
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    Ok((output.status.code(), stdout))
}

async fn verify_reports_changed_truncated_and_missing_objects(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let (code, stdout) = run(&fixture, &["verify"]).await?;
    ensure!(
        code == Some(0) && stdout.starts_with("0 receipts"),
        "{stdout}"
    );

    let mut videos = Vec::new();
    for _ in 0..3 {
        let id = fixture.simulator.create(Script::default());
        let manifest = fixture.run_lifecycle(&server, &id).await?.manifest;
        let url = manifest.context("no receipt")?.objects[0].url.clone();
        videos.push(url.trim_start_matches("file://").to_owned());
    }
    let (code, stdout) = run(&fixture, &["verify", "--deep"]).await?;
    ensure!(code == Some(0), "{stdout}");
    ensure!(
        stdout.contains("3 receipts with 6 objects: 3 verified"),
        "{stdout}"
    );

    let mut changed = std::fs::read(&videos[0])?;
    let middle = changed.len() / 2;
    changed[middle] ^= 1;
    std::fs::write(&videos[0], &changed)?;
    std::fs::write(&videos[1], &changed[..middle])?;
    std::fs::remove_file(&videos[2])?;
    for (arguments, problems) in [
        (
            &["verify", "--output", "json"][..],
            &["expected", "missing"][..],
        ),
        (
            &["verify", "--deep", "--since", "1h", "--output", "json"],
            &["SHA-256", "bytes, expected", "missing"],
        ),
    ] {
        let (code, stdout) = run(&fixture, arguments).await?;
        ensure!(code == Some(1), "{stdout}");
        let report: Value = serde_json::from_str(&stdout)?;
        let findings = report["findings"].as_array().context("no findings")?;
        ensure!(findings.len() == problems.len(), "{stdout}");
        for problem in problems {
            ensure!(stdout.contains(problem), "no {problem:?} in {stdout}");
        }
    }
    Ok(())
}
register!(verify_reports_changed_truncated_and_missing_objects);

async fn clean_removes_only_staged_objects(server: Arc<Server>) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let id = fixture.simulator.create(Script::default());
    let manifest = fixture.run_lifecycle(&server, &id).await?.manifest;
    let staged = fixture
        .directory
        .path()
        .join(format!(".staging/cgt-1-{ATTEMPT}/video"));
    std::fs::create_dir_all(staged.parent().context("no parent directory")?)?;
    std::fs::write(&staged, "a video that was not published")?;
    let upload = staged.with_file_name("video#1");
    std::fs::write(&upload, "half a video")?;
    // A worker that is killed while it writes an object leaves a file beside it.
    let unnamed = fixture
        .directory
        .path()
        .join(task_prefix(&id)?)
        .join("task.json#1");
    std::fs::write(&unnamed, "half a record")?;

    let (_, stdout) = run(&fixture, &["clean"]).await?;
    ensure!(
        stdout.starts_with("nothing is staged for longer than 1d"),
        "the staged objects are less than a day old: {stdout}"
    );
    let (_, stdout) = run(&fixture, &["clean", "--older-than", "0s"]).await?;
    ensure!(
        stdout.contains(&format!("{ATTEMPT}/video")) && staged.exists() && upload.exists(),
        "{stdout}"
    );
    ensure!(
        stdout.contains("task.json#1") && unnamed.exists(),
        "{stdout}"
    );
    let (code, stdout) = run(&fixture, &["clean", "--older-than", "0s", "--remove"]).await?;
    ensure!(
        code == Some(0) && !staged.exists() && !upload.exists() && !unnamed.exists(),
        "{stdout}"
    );
    fixture.assert_archived(&id, &manifest.context("no receipt")?)
}
register!(clean_removes_only_staged_objects);

/// Version 0.1.0 accepted destinations under `.staging/`.
async fn clean_removes_no_archived_video(server: Arc<Server>) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let id = fixture.simulator.create(Script::default());
    fixture.run_lifecycle(&server, &id).await?;
    let archived = fixture.directory.path().join("default");
    let destination = fixture.directory.path().join(".staging/team");
    std::fs::create_dir_all(&destination)?;
    std::fs::rename(archived, destination.join("default"))?;
    let foreign = destination.with_file_name("note#1");
    std::fs::write(&foreign, "a note")?;

    let (code, stdout) = run(&fixture, &["clean", "--older-than", "0s", "--remove"]).await?;
    ensure!(
        code == Some(0) && stdout.starts_with("nothing is staged"),
        "{stdout}"
    );
    ensure!(foreign.exists());
    let mut moved = fixture.config.archive_url.clone();
    moved.set_path(&format!("{}/elsewhere", fixture.directory.path().display()));
    std::fs::rename(&destination, fixture.directory.path().join("elsewhere"))?;
    let output = command()
        .args(["verify", "--deep"])
        .env("SEEDANCE_ARCHIVE_URL", moved.as_str())
        .output()
        .await?;
    let stdout = String::from_utf8_lossy(&output.stdout);
    ensure!(
        stdout.contains("1 receipt with 2 objects: 1 verified"),
        "{stdout}"
    );
    Ok(())
}
register!(clean_removes_no_archived_video);

async fn no_command_opens_an_archive_under_staging(server: Arc<Server>) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    for segment in [".staging", ".STAGING", "%2Estaging/team/"] {
        let url = format!("file://{}/{segment}", fixture.directory.path().display());
        for arguments in [
            &["clean", "--remove"][..],
            &["verify"],
            &["receipts"],
            &["gallery", "--out", "gallery"],
        ] {
            let output = command()
                .args(arguments)
                .env("SEEDANCE_ARCHIVE_URL", &url)
                .output()
                .await?;
            let stderr = String::from_utf8_lossy(&output.stderr);
            ensure!(!output.status.success(), "{arguments:?} accepted {url}");
            ensure!(stderr.contains("`.staging` is reserved"), "{stderr}");
        }
    }
    ensure!(!fixture.directory.path().join(".staging").exists());
    Ok(())
}
register!(no_command_opens_an_archive_under_staging);
