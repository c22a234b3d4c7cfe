//! What a run leaves in `/metrics`.

use std::{cell::Cell, process::Stdio, sync::Arc, time::Duration};

use anyhow::{Context, ensure};
use seedance_archiver_simulator::{Ending, Fault, Script};
use tokio::{io::AsyncWriteExt, process::Command};

use super::process::Process;
use crate::{
    Suite,
    tools::Missing,
    world::{Server, World, until_async},
};

pub(crate) fn tests(suite: Suite) -> Suite {
    suite
        .test("operations::metrics_tell_of_a_run", tell_of_a_run)
        .test("operations::metrics_tell_what_is_open", tell_what_is_open)
        .test_with(
            "operations::metrics_are_as_prometheus_wants_them",
            promtool(),
            wanted,
        )
}

/// The value of a series, which is named by all that it begins with.
pub(super) fn value(text: &str, series: &str) -> Option<f64> {
    let line = text.lines().find(|line| line.starts_with(series))?;
    line.rsplit(' ').next()?.parse().ok()
}

async fn tell_of_a_run(server: Arc<Server>) -> anyhow::Result<()> {
    let world = World::new(&server).await?;
    let worker = Process::worker(&world, &server, &[])?;
    worker.says("polling").await?;
    world.simulator.set_fault(Some(Fault::Unauthorized));
    let id = world.simulator.create(Script::default());
    let lifecycle = world.start(&server, &id).await?;
    until_async("a refused key is counted", || async {
        let (_, text) = worker.get("/metrics").await?;
        let labels = "activity=\"QueryVideoTask\",failure_type=\"Unauthorized\"";
        let series = format!("seedance_archiver_retries_total{{{labels}}}");
        Ok(value(&text, &series) >= Some(1.0))
    })
    .await?;
    let refused = worker.says("failed, and will be tried again").await?;
    ensure!(refused["failure_type"] == "Unauthorized", "{refused}");
    ensure!(refused["activity_type"] == "QueryVideoTask", "{refused}");
    let workflow_id = refused["workflow_id"].as_str().context("no workflow id")?;
    ensure!(workflow_id.ends_with(&id), "{refused}");

    world.simulator.set_fault(None);
    let result = lifecycle.result().await?;
    ensure!(result.outcome == "archived", "{result:?}");
    let failed = world.simulator.create(Script {
        ending: Ending::Failed,
        // Long enough to be asked about in vain.
        queued: Some(Duration::from_secs(5)),
        ..Script::default()
    });
    world.start(&server, &failed).await?.result().await?;
    let manifest = result.manifest.context("no receipt")?;
    let bytes: i64 = manifest.objects.iter().map(|it| it.size_bytes).sum();

    let (status, text) = worker.get("/metrics").await?;
    ensure!(status == 200, "{text}");
    for (series, expected) in [
        (
            "lifecycles_ended_total{account=\"default\",outcome=\"archived\"}",
            1.0,
        ),
        (
            "lifecycles_ended_total{account=\"default\",outcome=\"unsuccessful\"}",
            1.0,
        ),
        ("archived_bytes_total{account=\"default\"}", bytes as f64),
        ("archive_lag_seconds_count{account=\"default\"}", 1.0),
        ("archive_time_left_seconds_count{account=\"default\"}", 1.0),
        ("transfer_bytes_per_second_count{account=\"default\"}", 1.0),
        ("detection_lag_seconds_count{account=\"default\"}", 2.0),
        ("transfers_running", 0.0),
        ("build_info{version=", 1.0),
    ] {
        let found = value(&text, &format!("seedance_archiver_{series}"));
        ensure!(
            found == Some(expected),
            "{series} is {found:?}, not {expected}:\n{text}"
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
    ] {
        ensure!(value(&text, series) >= Some(1.0), "no {series}:\n{text}");
    }
    for secret in [&id, world.simulator.api_key(), "Signature"] {
        ensure!(!text.contains(secret), "{secret} is in a label");
    }
    Ok(())
}

async fn tell_what_is_open(server: Arc<Server>) -> anyhow::Result<()> {
    let server = server.in_namespace().await?;
    let world = World::new(&server).await?;
    let id = world.simulator.create(Script {
        running: Some(Duration::from_secs(3600)),
        ..Script::default()
    });
    let namespace = server.client.options().namespace.clone();
    let variables = [("TEMPORAL_NAMESPACE", namespace.as_str())];
    let first = Process::worker(&world, &server, &variables)?;
    first.says("polling").await?;
    world.start(&server, &id).await?;
    // Each worker looks when it starts, and then once a minute.
    until_async("another worker tells what is open", || async {
        let worker = Process::worker(&world, &server, &variables)?;
        worker.says("polling").await?;
        let found = Cell::new((None, None));
        until_async("it has looked", || async {
            let (_, text) = worker.get("/metrics").await?;
            let of = |rest| value(&text, &format!("seedance_archiver_{rest}"));
            let open = of("open_lifecycles{account=\"default\",status=\"running\"}");
            let deadline = of("oldest_open_deadline_timestamp_seconds{account=\"default\"}");
            found.set((open, deadline));
            Ok(open.is_some() && deadline.is_some())
        })
        .await?;
        let (open, deadline) = found.get();
        Ok(open == Some(1.0) && deadline.is_some_and(f64::is_finite))
    })
    .await
}

fn promtool() -> Result<(), Missing> {
    let found = which::which("promtool").map(drop);
    found.map_err(|_| Missing("no `promtool`"))
}

async fn wanted(server: Arc<Server>) -> anyhow::Result<()> {
    let world = World::new(&server).await?;
    let worker = Process::worker(&world, &server, &[])?;
    let id = world.simulator.create(Script::default());
    world.start(&server, &id).await?.result().await?;
    let (_, text) = worker.get("/metrics").await?;
    let mut promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let mut stdin = promtool.stdin.take().context("no stdin")?;
    stdin.write_all(text.as_bytes()).await?;
    drop(stdin);
    let output = promtool.wait_with_output().await?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success() && said.is_empty(), "{said}");
    Ok(())
}
