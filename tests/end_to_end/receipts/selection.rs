//! Filters and sums of receipts.

use std::sync::Arc;

use anyhow::{Context, ensure};
use seedance_archiver_proto::v1::Manifest;
use serde_json::{Value, json};

use super::archive::{LocalArchive, manifest, parse_csv};
use crate::harness::{Server, register};

const DAY: i64 = 24 * 60 * 60;
/// 2026-08-27.
const AUGUST: i64 = 1_787_869_631;

async fn receipts_are_filtered_by_time_account_and_model(_: Arc<Server>) -> anyhow::Result<()> {
    let archive = LocalArchive::new()?;
    archive.add(&manifest("new"))?;
    let old = manifest("old");
    archive.add(&Manifest {
        archived_at: old.archived_at - 2 * DAY,
        ..old
    })?;
    archive.add(&Manifest {
        account: "eu".to_owned(),
        ..manifest("other-account")
    })?;
    archive.add(&Manifest {
        model: "seedance-1-0-pro-250528".to_owned(),
        ..manifest("other-model")
    })?;
    let all = ["new", "old", "other-account", "other-model"];
    let model = "seedance-1-5-pro-251215";
    for (arguments, expected) in [
        (&[][..], &all[..]),
        (&["--since", "1d"], &["new", "other-account", "other-model"]),
        (&["--since", "3d"], &all),
        (&["--account", "eu"], &["other-account"]),
        (&["--model", model], &["new", "old", "other-account"]),
        (
            &["--model", model, "--account", "default", "--since", "1h"],
            &["new"],
        ),
    ] {
        let arguments = [&["--output", "csv"], arguments].concat();
        let rows = parse_csv(&archive.receipts(&arguments).await?.rows()?)?;
        let ids: Vec<_> = rows.iter().map(|row| row["task_id"].as_str()).collect();
        ensure!(ids == expected, "{arguments:?}: {ids:?}");
    }
    let none = archive.receipts(&["--model", "seedance"]).await?;
    ensure!(
        none.code == Some(0) && none.stdout.is_empty(),
        "{}",
        none.stdout
    );
    let message = format!("no matching receipts in {}\n", archive.url());
    ensure!(none.stderr == message, "{}", none.stderr);
    Ok(())
}
register!(receipts_are_filtered_by_time_account_and_model);

async fn a_summary_adds_up_the_tokens_of_each_group(_: Arc<Server>) -> anyhow::Result<()> {
    let archive = LocalArchive::new()?;
    let on_day = |task_id: &str, day: i64| Manifest {
        task_updated_at: AUGUST + day * DAY,
        ..manifest(task_id)
    };
    archive.add(&on_day("a", 0))?;
    archive.add(&on_day("b", 0))?;
    archive.add(&Manifest {
        service_tier: "flex".to_owned(),
        ..on_day("c", 0)
    })?;
    archive.add(&Manifest {
        usage: None,
        ..on_day("d", 1)
    })?;
    archive.add(&Manifest {
        account: "eu".to_owned(),
        ..on_day("e", -30)
    })?;
    let model = "seedance-1-5-pro-251215";
    let group = |day: &str, account: &str, tier: &str, videos: i64, tokens: [i64; 2]| {
        json!({
            "level": "group", "day": day, "account": account, "model": model, "service_tier": tier,
            "videos": videos, "completion_tokens": tokens[0], "total_tokens": tokens[1],
        })
    };
    let expected = [
        group("2026-07-28", "eu", "default", 1, [100, 120]),
        group("2026-08-27", "default", "default", 2, [200, 240]),
        group("2026-08-27", "default", "flex", 1, [100, 120]),
        group("2026-08-28", "default", "default", 1, [0, 0]),
        json!({"level": "total", "videos": 5, "completion_tokens": 400, "total_tokens": 480}),
    ];
    let jsonl = archive
        .receipts(&["--summary", "--output", "jsonl"])
        .await?
        .rows()?;
    let lines: Vec<Value> = jsonl
        .lines()
        .map(serde_json::from_str)
        .collect::<Result<_, _>>()?;
    ensure!(lines == expected, "{jsonl}");

    let csv = archive
        .receipts(&["--summary", "--output", "csv"])
        .await?
        .rows()?;
    let rows = parse_csv(&csv)?;
    ensure!(rows.len() == expected.len(), "{csv}");
    for (row, expected) in rows.iter().zip(&expected) {
        for (name, value) in row {
            let expected = match &expected[name] {
                Value::Null => String::new(),
                Value::String(text) => text.clone(),
                value => value.to_string(),
            };
            ensure!(*value == expected, "{name} in {csv}");
        }
    }

    let table = archive.receipts(&["--summary"]).await?.rows()?;
    let last = table.lines().last().context("no table")?;
    let words: Vec<_> = last.split_whitespace().collect();
    ensure!(words == ["total", "5", "400", "480"], "{table}");
    ensure!(table.lines().count() == 2 + expected.len(), "{table}");

    let filtered = archive
        .receipts(&["--summary", "--account", "eu"])
        .await?
        .rows()?;
    ensure!(filtered.lines().count() == 2 + 2, "{filtered}");
    Ok(())
}
register!(a_summary_adds_up_the_tokens_of_each_group);
