//! The metrics at `/metrics`.

use std::{cell::Cell, process::Stdio, sync::Arc, time::Duration};

use anyhow::{Context, ensure};
use seedance_archiver::temporal::search_attributes;
use seedance_archiver_clock::Clock;
use seedance_archiver_proto::{time::unix_seconds, v1::Manifest};
use seedance_archiver_simulator::{Ending, Fault, Script};
use temporalio_client::WorkflowCancelOptions;
use tokio::{io::AsyncWriteExt, process::Command};

use super::process::WorkerProcess;
use crate::harness::{Fixture, HOUR, Server, register, task_prefix, tools, until, until_async};

/// Returns the value of the first series with this prefix.
pub(crate) fn value(metrics: &str, series: &str) -> Option<f64> {
    let line = metrics.lines().find(|line| line.starts_with(series))?;
    line.rsplit(' ').next()?.parse().ok()
}

/// Returns the series of the tokens of a video.
fn tokens_of(manifest: &Manifest) -> String {
    let model = &manifest.model;
    format!("tokens_total{{account=\"default\",model=\"{model}\",service_tier=\"default\"}}")
}

async fn a_run_is_visible_in_the_metrics(server: Arc<Server>) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let worker = WorkerProcess::start(&fixture, &server, &[])?;
    worker.wait_for_log("polling").await?;
    fixture.simulator.set_fault(Some(Fault::Unauthorized));
    let id = fixture.simulator.create(Script::default());
    let lifecycle = fixture.start_lifecycle(&server, &id).await?;
    until_async("a rejected key is counted", || async {
        let (_, metrics) = worker.get("/metrics").await?;
        let labels = "activity=\"QueryVideoTask\",failure_type=\"Unauthorized\"";
        let series = format!("seedance_archiver_retries_total{{{labels}}}");
        Ok(value(&metrics, &series) >= Some(1.0))
    })
    .await?;
    let failure = worker
        .wait_for_log("activity attempt failed; will retry")
        .await?;
    ensure!(failure["failure_type"] == "Unauthorized", "{failure}");
    ensure!(failure["activity_type"] == "QueryVideoTask", "{failure}");
    let workflow_id = failure["workflow_id"].as_str().context("no workflow id")?;
    ensure!(workflow_id.ends_with(&id), "{failure}");

    fixture.simulator.set_fault(None);
    let result = lifecycle.result().await?;
    ensure!(result.outcome == "archived", "{result:?}");
    let failed = fixture.simulator.create(Script {
        ending: Ending::Failed,
        queued: Some(HOUR),
        ..Script::default()
    });
    let unsuccessful = fixture.start_lifecycle(&server, &failed).await?;
    // Polls without a change.
    fixture.polled(&failed, 2).await?;
    fixture.advance_clock(2 * HOUR).await;
    unsuccessful.result().await?;
    let manifest = result.manifest.context("no receipt")?;
    let bytes: i64 = manifest
        .objects
        .iter()
        .map(|object| object.size_bytes)
        .sum();

    let tokens_of = tokens_of(&manifest);
    let tokens = manifest.usage.as_ref().context("no usage")?.total_tokens;
    // A second lifecycle finds the receipt, which is not counted again.
    until("the receipt is old", || {
        unix_seconds(Clock::default().now()) > manifest.archived_at + 3
    })
    .await?;
    let again = fixture.start_lifecycle(&server, &id).await?;
    ensure!(again.result().await?.outcome == "archived");

    let (status, metrics) = worker.get("/metrics").await?;
    ensure!(status == 200, "{metrics}");
    for (series, expected) in [
        (
            "lifecycles_ended_total{account=\"default\",outcome=\"archived\"}",
            2.0,
        ),
        (
            "lifecycles_ended_total{account=\"default\",outcome=\"unsuccessful\"}",
            1.0,
        ),
        ("archived_bytes_total{account=\"default\"}", bytes as f64),
        (tokens_of.as_str(), tokens as f64),
        ("archive_lag_seconds_count{account=\"default\"}", 1.0),
        ("archive_time_left_seconds_count{account=\"default\"}", 1.0),
        ("transfer_bytes_per_second_count{account=\"default\"}", 1.0),
        ("detection_lag_seconds_count{account=\"default\"}", 3.0),
        ("transfers_running", 0.0),
        ("build_info{version=", 1.0),
    ] {
        let found = value(&metrics, &format!("seedance_archiver_{series}"));
        ensure!(
            found == Some(expected),
            "{series} is {found:?}, not {expected}:\n{metrics}"
        );
    }
    for series in [
        "seedance_archiver_polls_total{account=\"default\",result=\"news\"}",
        "seedance_archiver_polls_total{account=\"default\",result=\"waiting\"}",
        "seedance_archiver_polls_total{account=\"default\",result=\"failed\"}",
        "seedance_archiver_budget_wait_seconds_count{account=\"default\",call=\"query\"}",
        "temporal_activity_schedule_to_start_latency_seconds_count",
        "temporal_num_pollers{",
        "temporal_request_total{",
        "seedance_archiver_runtime_tasks ",
    ] {
        ensure!(
            value(&metrics, series) >= Some(1.0),
            "no {series}:\n{metrics}"
        );
    }
    for secret in [&id, fixture.simulator.api_key(), "Signature"] {
        ensure!(!metrics.contains(secret), "{secret} is in a label");
    }
    Ok(())
}
register!(a_run_is_visible_in_the_metrics);

/// No ending is silent: not that of an invalid request, nor that of a task without a record.
async fn every_ending_is_counted(server: Arc<Server>) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let accounts = tempfile::NamedTempFile::new()?;
    let base_url = fixture.simulator.base_url();
    let settings = format!(
        "[accounts.default]\nbase_url = \"{base_url}\"\napi_key = \"{}\"\n\
         pace = {{ shortest = \"200ms\", not_found_grace = \"1s\" }}\n",
        fixture.simulator.api_key()
    );
    std::fs::write(&accounts, settings)?;
    let path = accounts.path().to_str().context("the path is not UTF-8")?;
    let variables = [
        ("SEEDANCE_ACCOUNTS_FILE", path),
        ("SEEDANCE_API_KEY", ""),
        ("SEEDANCE_BASE_URL", ""),
    ];
    let worker = WorkerProcess::start(&fixture, &server, &variables)?;
    worker.wait_for_log("polling").await?;

    let archived = fixture.simulator.create(Script::default());
    let conflicting = fixture.simulator.create(Script::default());
    let directory = fixture.directory.path().join(task_prefix(&conflicting)?);
    std::fs::create_dir_all(&directory)?;
    std::fs::write(directory.join("video.mp4"), "another video")?;
    let hidden = fixture.simulator.create(Script::default());
    fixture.simulator.set_hidden(&hidden, true);
    let unseen = server.unique_name("cgt");
    for id in [&archived, &conflicting, &unseen, "a/b"] {
        // The lifecycles of the conflict and of the invalid request fail.
        let _ = fixture.start_lifecycle(&server, id).await?.result().await;
    }
    let cancelled = fixture.start_lifecycle(&server, &hidden).await?;
    let handle = server.lifecycle(&hidden);
    handle.cancel(WorkflowCancelOptions::default()).await?;
    ensure!(cancelled.result().await?.outcome == "unknown");

    let (_, metrics) = worker.get("/metrics").await?;
    for (outcome, expected) in [("archived", 1.0), ("unknown", 4.0)] {
        let labels = format!("account=\"default\",outcome=\"{outcome}\"");
        let series = format!("seedance_archiver_lifecycles_ended_total{{{labels}}}");
        let found = value(&metrics, &series);
        ensure!(found == Some(expected), "{outcome}: {found:?}\n{metrics}");
    }
    Ok(())
}
register!(every_ending_is_counted);

async fn open_lifecycles_are_counted_by_status(server: Arc<Server>) -> anyhow::Result<()> {
    let server = server.with_new_namespace().await?;
    let fixture = Fixture::new(&server).await?;
    let id = fixture.simulator.create(Script {
        running: Some(Duration::from_secs(3600)),
        ..Script::default()
    });
    search_attributes::register(&server.client, &search_attributes::ALL).await?;
    let first = WorkerProcess::start(&fixture, &server, &[])?;
    first.wait_for_log("polling").await?;
    fixture.start_lifecycle(&server, &id).await?;
    // Each worker counts when it starts, and then once a minute, so a new worker is started for each check.
    until_async("a new worker counts the open lifecycle", || async {
        let worker = WorkerProcess::start(&fixture, &server, &[])?;
        worker.wait_for_log("polling").await?;
        let counted = Cell::new((None, None));
        until_async("the worker has counted", || async {
            let (_, metrics) = worker.get("/metrics").await?;
            let metric = |name| value(&metrics, &format!("seedance_archiver_{name}"));
            let open = metric("open_lifecycles{account=\"default\",status=\"running\"}");
            let deadline = metric("oldest_open_deadline_timestamp_seconds{account=\"default\"}");
            counted.set((open, deadline));
            Ok(open.is_some() && deadline.is_some())
        })
        .await?;
        let (open, deadline) = counted.get();
        Ok(open == Some(1.0) && deadline.is_some_and(f64::is_finite))
    })
    .await
}
register!(open_lifecycles_are_counted_by_status);

async fn promtool_accepts_the_metrics(server: Arc<Server>) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let worker = WorkerProcess::start(&fixture, &server, &[])?;
    let id = fixture.simulator.create(Script::default());
    fixture
        .start_lifecycle(&server, &id)
        .await?
        .result()
        .await?;
    let (_, metrics) = worker.get("/metrics").await?;
    let mut promtool = Command::new(tools::promtool()?)
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let mut stdin = promtool.stdin.take().context("no stdin")?;
    stdin.write_all(metrics.as_bytes()).await?;
    drop(stdin);
    let output = promtool.wait_with_output().await?;
    let stderr = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success() && stderr.is_empty(), "{stderr}");
    Ok(())
}
register!(promtool_accepts_the_metrics, needs = [promtool]);
