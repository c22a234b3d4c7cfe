//! What the page about events says, as tests execute it.

use std::{path::Path, process::Stdio};

use anyhow::{Context, ensure};
use serde_json::json;
use tokio::{io::AsyncWriteExt, process::Command};

use crate::harness::receiver::Received;

const PAGE: &str = include_str!("../../../docs/events.md");

/// Calls the function of the page with a request.
const VERIFY: &str = r#"
import json, sys
request = json.load(sys.stdin)
verify(request["key"], request["headers"], request["body"].encode())
"#;

/// Returns the blocks of code in a language in the section with this heading.
pub(super) fn blocks(heading: &str, language: &str) -> anyhow::Result<Vec<&'static str>> {
    let heading = format!("\n{heading}\n");
    let (_, section) = PAGE.split_once(&heading).context("no such section")?;
    let section = section.split("\n#").next().unwrap_or_default();
    let start = format!("```{language}\n");
    let blocks = section.split(start.as_str()).skip(1);
    let blocks: Vec<_> = blocks
        .filter_map(|rest| Some(rest.split_once("```")?.0))
        .collect();
    ensure!(!blocks.is_empty(), "no {language} in {heading}");
    Ok(blocks)
}

/// Returns whether the function of the page accepts the signature of a request. It is an implementation of its own.
pub(super) async fn is_signed(
    python: &Path,
    key: &str,
    request: &Received,
) -> anyhow::Result<bool> {
    let blocks = blocks("### Verify the signature", "python")?;
    let names = ["webhook-id", "webhook-timestamp", "webhook-signature"];
    let mut headers = serde_json::Map::new();
    for name in names {
        headers.insert(name.to_owned(), json!(request.header(name)?));
    }
    let body = std::str::from_utf8(&request.body)?;
    let input = json!({"key": key, "headers": headers, "body": body}).to_string();
    let mut verifier = Command::new(python)
        .args(["-c", &format!("{}{VERIFY}", blocks.concat())])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let mut stdin = verifier.stdin.take().context("no stdin")?;
    stdin.write_all(input.as_bytes()).await?;
    drop(stdin);
    let output = verifier.wait_with_output().await?;
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.success() || errors.contains("ValueError: no signature is by this key"),
        "{errors}"
    );
    Ok(output.status.success())
}
