//! The receipts of archived videos in every format.

use std::{collections::HashMap, sync::Arc};

use anyhow::{Context, ensure};
use jiff::{civil::DateTime, tz};
use seedance_archiver_simulator::{Image, Script, Simulator};
use serde_json::{Value, json};

use super::archive::{Printed, parse_csv, receipts};
use crate::harness::{Fixture, Server, created_task::create_task, minio::Minio, register, tools};

/// A text of the create request that gets into the receipt.
const USER: &str = "=1+1, \"Ünal\"\nline 2 🎬; 'x'";

async fn every_format_has_each_archived_video(server: Arc<Server>) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let ids = create_tasks(&fixture.simulator).await?;
    for id in &ids {
        let result = fixture.run_lifecycle(&server, id).await?;
        ensure!(result.outcome == "archived", "{result:?}");
    }
    let mut stored = HashMap::new();
    for id in &ids {
        let key = fixture.receipt_path(id).context("no receipt")?;
        let json = std::fs::read(fixture.directory.path().join(&key))?;
        stored.insert(key.clone(), serde_json::from_slice(&json)?);
    }
    let archive = [("SEEDANCE_ARCHIVE_URL", fixture.config.archive_url.as_str())];
    check_formats(&archive, &stored).await
}
register!(every_format_has_each_archived_video);

async fn every_format_has_each_video_of_a_bucket(server: Arc<Server>) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let minio = Minio::start(tools::minio()?).await?;
    let bucket = minio.new_bucket("videos")?;
    let ids = create_tasks(&fixture.simulator).await?;
    let mut stored = HashMap::new();
    {
        let _worker = fixture.spawn_worker_with(&server, &bucket.environment())?;
        for id in &ids {
            let lifecycle = fixture.start_lifecycle(&server, id).await?;
            let manifest = lifecycle.result().await?.manifest.context("no receipt")?;
            let json = bucket.read(&manifest.manifest_url).await?;
            let key = manifest.manifest_url.replace("s3://videos/", "");
            stored.insert(key, serde_json::from_slice(&json)?);
        }
    }
    check_formats(&bucket.environment(), &stored).await
}
register!(every_format_has_each_video_of_a_bucket, needs = [minio]);

/// Creates a task with a text that every format must escape, and one with two objects.
async fn create_tasks(simulator: &Simulator) -> anyhow::Result<[String; 2]> {
    let body = json!({
        "model": "seedance-1-5-pro-251215",
        "content": [{"type": "text", "text": "a kite --simulate ending=succeeded,queued=0,running=1"}],
        "safety_identifier": USER,
        "service_tier": "flex",
        "tools": [{"type": "web_search"}],
        "seed": -7,
    });
    let with_text = create_task(simulator, &body).await?;
    let with_frame = simulator.create(Script {
        last_frame: Some(Image::Png),
        ..Script::default()
    });
    Ok([with_text, with_frame])
}

/// Compares the output of each format with the stored receipts by their keys.
async fn check_formats(
    archive: &[(&str, &str)],
    stored: &HashMap<String, Value>,
) -> anyhow::Result<()> {
    let mut keys: Vec<_> = stored.keys().cloned().collect();
    keys.sort();
    let print = async |format| {
        let printed: Printed = receipts(archive, &["--output", format]).await?;
        let rows = printed.rows()?;
        for secret in ["Signature", "sealed", "X-Tos"] {
            ensure!(!rows.contains(secret), "{secret} in {rows}");
        }
        anyhow::Ok(rows)
    };

    let lines = print("jsonl").await?;
    let mut lines = lines.lines().map(serde_json::from_str::<Value>);
    for key in &keys {
        let mut line = lines.next().context("a line is missing")??;
        let fields = line.as_object_mut().context("not an object")?;
        ensure!(
            fields.remove("manifest_key") == Some(json!(key)),
            "{fields:?}"
        );
        ensure!(line == stored[key], "{line}, expected {}", stored[key]);
    }
    ensure!(lines.next().is_none(), "there are more lines");

    let rows = parse_csv(&print("csv").await?)?;
    ensure!(rows.len() == keys.len(), "{rows:?}");
    for (row, key) in rows.iter().zip(&keys) {
        check_row(row, key, &stored[key])?;
    }

    let table = print("table").await?;
    ensure!(table.lines().count() == 2 + keys.len(), "{table}");
    for (line, key) in table.lines().skip(2).zip(&keys) {
        let id = stored[key]["task_id"].as_str().context("no id")?;
        ensure!(line.starts_with(id) && line.ends_with(" UTC"), "{table}");
    }
    Ok(())
}

/// Compares a record of CSV with the receipt at a key.
fn check_row(row: &HashMap<String, String>, key: &str, receipt: &Value) -> anyhow::Result<()> {
    let video = &receipt["objects"][0];
    let text = |value: &Value| match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        value => value.to_string(),
    };
    let same = [
        "task_id",
        "account",
        "model",
        "service_tier",
        "resolution",
        "ratio",
        "duration",
        "framespersecond",
        "generate_audio",
        "seed",
        "execution_expires_after",
        "attempts",
        "source_host",
        "archiver_version",
        "contract_version",
        "manifest_url",
    ];
    for name in same {
        ensure!(row[name] == text(&receipt[name]), "{name}: {row:?}");
    }
    for name in ["task_created_at", "task_updated_at", "archived_at"] {
        let time = tz::offset(0).to_timestamp(row[name].parse::<DateTime>()?)?;
        ensure!(
            Some(time.as_second()) == receipt[name].as_i64(),
            "{name}: {row:?}"
        );
    }
    for name in ["size_bytes", "url", "sha256", "content_type", "etag"] {
        ensure!(
            row[&format!("object_{name}")] == text(&video[name]),
            "{name}: {row:?}"
        );
    }
    for name in ["completion_tokens", "total_tokens"] {
        ensure!(
            row[name] == text(&receipt["usage"][name]),
            "{name}: {row:?}"
        );
    }
    let name = "has_c2pa_manifest";
    ensure!(row[name] == text(&video[name]), "{name}: {row:?}");
    ensure!(row["manifest_key"] == key, "{row:?}");
    ensure!(
        row["object_key"] == key.replace("manifest.json", "video.mp4"),
        "{row:?}"
    );
    let objects: Value = serde_json::from_str(&row["objects"])?;
    ensure!(objects == receipt["objects"], "{row:?}");
    // An apostrophe makes the text no formula.
    let (user, tools) = match receipt["safety_identifier"].as_str() {
        Some(user) => (format!("'{user}"), "[\"web_search\"]"),
        None => (String::new(), ""),
    };
    ensure!(user.is_empty() || user == format!("'{USER}"), "{receipt}");
    ensure!(
        row["safety_identifier"] == user && row["tools"] == tools,
        "{row:?}"
    );
    Ok(())
}
