//! The `receipts` command, and archives with receipts that no worker wrote.

use std::path::Path;

use anyhow::ensure;
use seedance_archiver_clock::Clock;
use seedance_archiver_proto::{
    time::unix_seconds,
    v1::{ArchivedObject, Manifest, Usage},
};
use tempfile::TempDir;

use crate::harness::command;

/// What the command printed.
pub(super) struct Printed {
    pub(super) code: Option<i32>,
    pub(super) stdout: String,
    pub(super) stderr: String,
}

impl Printed {
    /// Returns stdout of a command that reported nothing.
    pub(super) fn rows(self) -> anyhow::Result<String> {
        let Self {
            code,
            stdout,
            stderr,
        } = self;
        ensure!(code == Some(0) && stderr.is_empty(), "{code:?}: {stderr}");
        Ok(stdout)
    }
}

/// Runs `receipts`.
pub(super) async fn receipts(
    environment: &[(&str, &str)],
    arguments: &[&str],
) -> anyhow::Result<Printed> {
    let output = command()
        .arg("receipts")
        .args(arguments)
        .envs(environment.iter().copied())
        .output()
        .await?;
    Ok(Printed {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout)?,
        stderr: String::from_utf8(output.stderr)?,
    })
}

/// A local archive.
pub(super) struct LocalArchive {
    directory: TempDir,
    url: String,
}

impl LocalArchive {
    pub(super) fn new() -> anyhow::Result<Self> {
        let directory = tempfile::tempdir()?;
        let url = format!("file://{}", directory.path().display());
        Ok(Self { directory, url })
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    pub(super) fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Writes a receipt as workers do.
    pub(super) fn add(&self, manifest: &Manifest) -> anyhow::Result<()> {
        let json = serde_json::to_string_pretty(manifest)?;
        self.write(&manifest.task_id, &json)
    }

    /// Writes the file of a task's receipt.
    pub(super) fn write(&self, task_id: &str, text: &str) -> anyhow::Result<()> {
        let directory = self.path().join("default").join(task_id);
        std::fs::create_dir_all(&directory)?;
        Ok(std::fs::write(directory.join("manifest.json"), text)?)
    }

    pub(super) async fn receipts(&self, arguments: &[&str]) -> anyhow::Result<Printed> {
        receipts(&[("SEEDANCE_ARCHIVE_URL", &self.url)], arguments).await
    }
}

/// Returns the receipt of a task that was archived now.
pub(super) fn manifest(task_id: &str) -> Manifest {
    let now = unix_seconds(Clock::default().now());
    Manifest {
        task_id: task_id.to_owned(),
        account: "default".to_owned(),
        model: "seedance-1-5-pro-251215".to_owned(),
        service_tier: "default".to_owned(),
        task_created_at: now - 60,
        task_updated_at: now - 10,
        archived_at: now,
        usage: Some(Usage {
            completion_tokens: 100,
            total_tokens: 120,
            ..Usage::default()
        }),
        objects: vec![ArchivedObject {
            name: "video.mp4".to_owned(),
            size_bytes: 7_000_000,
            ..ArchivedObject::default()
        }],
        ..Manifest::default()
    }
}

/// Parses CSV into the header and the records.
pub(super) fn parse_csv(
    text: &str,
) -> anyhow::Result<Vec<std::collections::HashMap<String, String>>> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    Ok(reader.deserialize().collect::<Result<_, _>>()?)
}
