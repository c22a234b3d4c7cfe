//! `verify` that is interrupted and continues, and its progress.

use std::{
    path::PathBuf,
    process::{Output, Stdio},
    sync::Arc,
};

use anyhow::{Context, ensure};
use rustix::process::Signal;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::Command,
};

use crate::harness::{Server, command, register, send_signal};

/// Directories of tasks, in the order of their receipts' keys.
const TASKS: [&str; 6] = [
    "default/a-b/cgt-1",
    "default/a.b/cgt-1",
    "default/a/b/cgt-1",
    "default/a/cgt-1",
    "default/a0/cgt-1",
    "eu/cgt 1",
];

/// A local archive with a video in each directory of [`TASKS`].
struct LocalArchive(TempDir);

impl LocalArchive {
    fn new() -> anyhow::Result<Self> {
        let archive = Self(tempfile::tempdir()?);
        for task in TASKS {
            let object = json!({
                "name": "video.mp4",
                "size_bytes": task.len(),
                "sha256": hex::encode(Sha256::digest(task)),
            });
            let receipt = json!({"task_id": "cgt-1", "objects": [object]});
            std::fs::create_dir_all(archive.file(task, ""))?;
            std::fs::write(archive.file(task, "video.mp4"), task)?;
            std::fs::write(archive.file(task, "manifest.json"), receipt.to_string())?;
        }
        Ok(archive)
    }

    fn file(&self, task: &str, name: &str) -> PathBuf {
        self.0.path().join(task).join(name)
    }

    fn verify(&self, arguments: &[&str]) -> Command {
        let mut verify = command();
        let url = format!("file://{}", self.0.path().display());
        verify
            .arg("verify")
            .args(arguments)
            .env("SEEDANCE_ARCHIVE_URL", url)
            .kill_on_drop(true);
        verify
    }

    /// Runs `verify` until it shows that `verified` receipts are verified, and interrupts it. Meanwhile, reading the
    /// video of a task does not end.
    async fn interrupt(
        &self,
        arguments: &[&str],
        stuck: &str,
        verified: &str,
    ) -> anyhow::Result<Output> {
        let video = self.file(stuck, "video.mp4");
        std::fs::remove_file(&video)?;
        let pipe = Command::new("mkfifo").arg(&video).status().await?;
        ensure!(pipe.success(), "mkfifo: {pipe}");
        let mut process = self
            .verify(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let stderr = process.stderr.take().context("no stderr")?;
        let mut lines = BufReader::new(stderr).lines();
        let mut stderr = String::new();
        while let Some(line) = lines.next_line().await? {
            if line.contains(verified) {
                send_signal(&process, Signal::INT)?;
            }
            stderr += &format!("{line}\n");
        }
        let output = process.wait_with_output().await?;
        std::fs::remove_file(&video)?;
        std::fs::write(&video, stuck)?;
        Ok(Output {
            stderr: stderr.into(),
            ..output
        })
    }
}

/// Checks an exit code, and returns the texts on stdout and stderr.
fn texts(output: Output, code: i32) -> anyhow::Result<(String, String)> {
    ensure!(output.status.code() == Some(code), "{output:?}");
    Ok((
        String::from_utf8(output.stdout)?,
        String::from_utf8(output.stderr)?,
    ))
}

async fn verify_continues_after_an_interruption(_: Arc<Server>) -> anyhow::Result<()> {
    let archive = LocalArchive::new()?;
    std::fs::write(archive.file(TASKS[4], "video.mp4"), "some other bytes")?;
    let interrupted = archive.interrupt(&["--deep"], TASKS[2], "5 of 6 receipts verified: ");
    let (stdout, stderr) = texts(interrupted.await?, 1)?;
    // The finding is behind the receipt that is stuck.
    let finding = format!("{}/manifest.json: video.mp4 has SHA-256 ", TASKS[4]);
    ensure!(stdout.contains(&finding), "{stdout}");
    let counts = "2 receipts with 2 objects: 2 verified, 0 failed (1 finding)";
    ensure!(stdout.contains(counts), "{stdout}");
    ensure!(
        stderr.contains("verified: 1 finding, 5 objects, "),
        "{stderr}"
    );
    ensure!(stderr.contains("interrupted: "), "{stderr}");
    let position = format!("verified all receipts up to {}/manifest.json;", TASKS[1]);
    ensure!(stderr.contains(&position), "{stderr}");

    let command = stderr
        .lines()
        .find_map(|line| line.strip_prefix("  seedance-archiver verify "))
        .with_context(|| format!("no command in {stderr}"))?;
    let arguments: Vec<_> = command.split(' ').collect();
    let (stdout, _) = texts(archive.verify(&arguments).output().await?, 1)?;
    ensure!(stdout.contains(&finding), "{stdout}");
    let counts = "4 receipts with 4 objects: 3 verified, 1 failed (1 finding)";
    ensure!(stdout.contains(counts), "{stdout}");
    Ok(())
}
register!(verify_continues_after_an_interruption);

async fn the_document_of_an_interrupted_verify_has_a_position(
    _: Arc<Server>,
) -> anyhow::Result<()> {
    let archive = LocalArchive::new()?;
    let arguments = ["--deep", "--since", "1h", "--output", "json"];
    let interrupted = archive.interrupt(&arguments, TASKS[4], "5 of 6 receipts verified: ");
    let (stdout, stderr) = texts(interrupted.await?, 130)?;
    let document: Value = serde_json::from_str(&stdout)?;
    let position = format!("{}/manifest.json", TASKS[3]);
    ensure!(document["verified_up_to"] == position, "{document}");
    ensure!(document["is_complete"] == false, "{document}");
    ensure!(document["receipts"] == 4, "{document}");
    ensure!(
        stderr.contains("verify --deep --since 1h --output json --after default/a/cgt-1/"),
        "{stderr}"
    );

    let arguments = [&arguments[..], &["--after", &position]].concat();
    let (stdout, stderr) = texts(archive.verify(&arguments).output().await?, 0)?;
    let document: Value = serde_json::from_str(&stdout)?;
    let last = format!("{}/manifest.json", TASKS[5]);
    ensure!(document["verified_up_to"] == last, "{document}");
    ensure!(document["is_complete"] == true, "{document}");
    ensure!(document["receipts"] == 2, "{document}");
    ensure!(stderr.is_empty(), "{stderr}");
    Ok(())
}
register!(the_document_of_an_interrupted_verify_has_a_position);

async fn a_position_that_cannot_be_a_key_is_rejected(_: Arc<Server>) -> anyhow::Result<()> {
    let archive = LocalArchive::new()?;
    for position in ["", "a//b", "a/../b"] {
        let output = archive.verify(&["--after", position]).output().await?;
        let (_, stderr) = texts(output, 2)?;
        ensure!(stderr.contains("--after"), "{stderr}");
    }
    let output = archive.verify(&["--after", "eu/cgt 0"]).output().await?;
    let (stdout, _) = texts(output, 0)?;
    ensure!(
        stdout == "1 receipt with 1 object: 1 verified\n",
        "{stdout}"
    );
    let output = archive
        .verify(&["--after", "default/a"])
        .env("SEEDANCE_ARCHIVE_URL", "s3://videos/team")
        .output();
    let (_, stderr) = texts(output.await?, 1)?;
    ensure!(stderr.contains("its keys start with `team/`"), "{stderr}");
    Ok(())
}
register!(a_position_that_cannot_be_a_key_is_rejected);
