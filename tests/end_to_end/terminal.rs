//! Texts from an API that try to control the terminal or to forge lines.

use std::{process::Output, sync::Arc};

use anyhow::ensure;
use axum::{Router, http::StatusCode, routing::get};
use serde_json::{Value, json};

use crate::harness::{Server, command, register};

/// A text that clears the screen, sets the title and forges a line.
const HOSTILE: &str = "x\u{1b}[2J\u{1b}]0;title\u{7}\r\nforged line\u{202e}\u{9b}31m";

/// Serves a response to every request, and returns the base URL.
async fn serve(status: StatusCode, body: &Value) -> anyhow::Result<String> {
    let body = body.to_string();
    let respond = move || {
        let body = body.clone();
        async move { (status, body) }
    };
    let router = Router::new().fallback(get(respond));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/api/v3", listener.local_addr()?);
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(url)
}

async fn run(base_url: &str, arguments: &[&str]) -> anyhow::Result<Output> {
    Ok(command()
        .args(arguments)
        .env("SEEDANCE_BASE_URL", base_url)
        .env("SEEDANCE_API_KEY", "key")
        .env("RUST_LOG", "debug")
        .env("SEEDANCE_LOG_FORMAT", "text")
        .env("SEEDANCE_ARCHIVE_URL", "file:///tmp/unused")
        .env("TEMPORAL_ADDRESS", "127.0.0.1:1")
        .output()
        .await?)
}

/// Asserts that a text contains nothing that a terminal obeys, and no forged line.
fn check(text: &[u8]) -> anyhow::Result<()> {
    let text = String::from_utf8_lossy(text);
    for character in ['\u{1b}', '\u{7}', '\r', '\u{202e}', '\u{9b}'] {
        ensure!(!text.contains(character), "{character:?} in {text:?}");
    }
    let is_forged = text.lines().any(|line| line.starts_with("forged line"));
    ensure!(!is_forged, "{text}");
    Ok(())
}

async fn a_record_cannot_control_the_terminal(_: Arc<Server>) -> anyhow::Result<()> {
    let record = json!({
        "id": "cgt-1",
        "status": HOSTILE,
        "model": HOSTILE,
        "resolution": HOSTILE,
        "error": { "code": HOSTILE, "message": HOSTILE },
        "created_at": 1_752_850_104,
    });
    let url = serve(StatusCode::OK, &record).await?;
    let output = run(&url, &["query", "cgt-1"]).await?;
    let stdout = String::from_utf8_lossy(&output.stdout);
    ensure!(output.status.success(), "{output:?}");
    ensure!(stdout.contains("\\u{1b}[2J"), "{stdout}");
    check(&output.stdout)?;
    check(&output.stderr)?;

    let output = run(&url, &["query", "cgt-1", "--output", "json"]).await?;
    check(&output.stdout)?;
    let document: Value = serde_json::from_slice(&output.stdout)?;
    ensure!(document["model"] == HOSTILE, "{document}");
    Ok(())
}
register!(a_record_cannot_control_the_terminal);

async fn an_error_cannot_control_the_terminal(_: Arc<Server>) -> anyhow::Result<()> {
    let error = json!({ "error": { "code": HOSTILE, "message": HOSTILE } });
    for status in [StatusCode::BAD_REQUEST, StatusCode::UNAUTHORIZED] {
        let url = serve(status, &error).await?;
        for arguments in [&["query", "cgt-1"][..], &["doctor"]] {
            let output = run(&url, arguments).await?;
            ensure!(!output.status.success(), "{output:?}");
            check(&output.stdout)?;
            check(&output.stderr)?;
        }
    }
    Ok(())
}
register!(an_error_cannot_control_the_terminal);
