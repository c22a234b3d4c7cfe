//! The metrics of audits.

use std::sync::Arc;

use anyhow::ensure;

use super::write_videos;
use crate::{
    harness::{Fixture, Server, command, register, until_async},
    operations::{metrics::value, process::WorkerProcess},
};

async fn findings_and_the_last_audit_are_in_the_metrics(server: Arc<Server>) -> anyhow::Result<()> {
    let server = server.with_new_namespace().await?;
    let fixture = Fixture::new(&server).await?;
    let tasks = write_videos(&fixture, 6)?;
    std::fs::remove_file(fixture.video(&tasks[2]))?;
    let worker = WorkerProcess::start(&fixture, &server, &[])?;
    worker.wait_for_log("polling").await?;
    until_async("the worker has read the schedules", || async {
        let (_, metrics) = worker.get("/metrics").await?;
        let overdue = value(
            &metrics,
            "seedance_archiver_audit_overdue_timestamp_seconds",
        );
        Ok(overdue == Some(f64::INFINITY))
    })
    .await?;

    let created = command()
        .args(["audit", "--every", "6h", "--share", "1"])
        .envs(server.environment())
        .env("TEMPORAL_TASK_QUEUE", &fixture.config.task_queue)
        .output()
        .await?;
    ensure!(created.status.success(), "{created:?}");
    let finding = worker
        .wait_for_log("an object differs from its receipt")
        .await?;
    ensure!(
        finding["kind"] == "missing" && finding["object"] == "video.mp4",
        "{finding}"
    );
    let audited = worker.wait_for_log("audited a part of the archive").await?;
    ensure!(audited["findings"] == "findings: 1 missing", "{audited}");
    let (_, metrics) = worker.get("/metrics").await?;
    for (series, expected) in [
        ("audit_findings_total{finding=\"missing\"}", 1.0),
        ("audited_objects_total", 6.0),
    ] {
        let found = value(&metrics, &format!("seedance_archiver_{series}"));
        ensure!(found == Some(expected), "{series} is {found:?}:\n{metrics}");
    }
    ensure!(
        value(&metrics, "seedance_archiver_audited_bytes_total") > Some(1_000.0),
        "{metrics}"
    );

    // Each worker reads the schedules when it starts.
    until_async("a new worker knows when the audit completed", || async {
        let worker = WorkerProcess::start(&fixture, &server, &[])?;
        worker.wait_for_log("polling").await?;
        until_async("the worker has read the schedules", || async {
            let (_, metrics) = worker.get("/metrics").await?;
            Ok(metrics.contains("seedance_archiver_audit_overdue_timestamp_seconds "))
        })
        .await?;
        let (_, metrics) = worker.get("/metrics").await?;
        let gauge = |name| {
            value(
                &metrics,
                &format!("seedance_archiver_audit_{name}_timestamp_seconds"),
            )
        };
        let (Some(overdue), Some(completed)) = (gauge("overdue"), gauge("last_completed")) else {
            return Ok(false);
        };
        let twice = 2.0 * 6.0 * 3_600.0;
        ensure!(
            (overdue - completed - twice).abs() < 1.0,
            "{overdue} {completed}"
        );
        Ok(true)
    })
    .await
}
register!(findings_and_the_last_audit_are_in_the_metrics);
