//! The `gallery` command, and the page that it generates.

use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::command;

/// A generated gallery, and what the command printed.
pub(crate) struct Gallery {
    pub(crate) directory: TempDir,
    pub(crate) report: Value,
    pub(crate) stderr: String,
}

impl Gallery {
    /// Returns the path of the page.
    pub(crate) fn page(&self) -> PathBuf {
        self.directory.path().join("index.html")
    }

    /// Returns the URL of the page.
    pub(crate) fn url(&self) -> String {
        format!("file://{}", self.page().display())
    }

    /// Reads the HTML of the page.
    pub(crate) fn html(&self) -> anyhow::Result<String> {
        Ok(std::fs::read_to_string(self.page())?)
    }

    /// Reads the data that is embedded in the page.
    pub(crate) fn data(&self) -> anyhow::Result<Value> {
        let html = self.html()?;
        let (_, data) = html
            .split_once(r#"<script type="application/json" id="data">"#)
            .context("no data in the page")?;
        let (data, _) = data.split_once("</script>").context("no end of the data")?;
        Ok(serde_json::from_str(data)?)
    }
}

/// Generates the gallery of an archive.
pub(crate) async fn generate(
    environment: &[(&str, &str)],
    arguments: &[&str],
) -> anyhow::Result<Gallery> {
    let directory = tempfile::tempdir()?;
    let output = command()
        .args(["gallery", "--output", "json", "--out"])
        .arg(directory.path())
        .args(arguments)
        .envs(environment.iter().copied())
        .output()
        .await?;
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(output.status.success(), "{}: {stderr}", output.status);
    let report = serde_json::from_slice(&output.stdout).context("stdout is not JSON")?;
    Ok(Gallery {
        directory,
        report,
        stderr,
    })
}

/// Sets the prompt in the task record next to a receipt. Some services return the prompt.
pub(crate) fn set_prompt(receipt: &Path, prompt: &str) -> anyhow::Result<()> {
    let path = receipt.with_file_name("task.json");
    let mut record: Value = serde_json::from_slice(&std::fs::read(&path)?)?;
    record["revised_prompt"] = json!(prompt);
    Ok(std::fs::write(&path, record.to_string())?)
}
