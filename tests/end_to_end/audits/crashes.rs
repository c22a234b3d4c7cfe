//! Audits that are interrupted.

use std::{sync::Arc, time::Duration};

use anyhow::ensure;
use seedance_archiver::config::GracePeriod;
use seedance_archiver_proto::v1::AuditReport;
use temporalio_client::{
    WorkflowCancelOptions, WorkflowDescribeOptions, WorkflowFetchHistoryOptions,
    WorkflowGetResultOptions, errors::WorkflowGetResultError,
};
use temporalio_common::protos::temporal::api::history::v1::history_event::Attributes;

use super::write_videos;
use crate::harness::{Fixture, HOUR, Server, audits::Audit, register, until_async};

/// Number of videos.
const VIDEOS: usize = 20;
/// Index of the video that is being read when the audit is interrupted, by the order of the keys.
const BLOCKED: usize = 10;

/// Writes videos, of which one before and one after the blocked one are changed. Returns the directories of the tasks, in
/// the order of their keys.
fn write(fixture: &Fixture) -> anyhow::Result<Vec<String>> {
    let mut tasks = write_videos(fixture, VIDEOS)?;
    tasks.sort();
    for task in [&tasks[BLOCKED - 5], &tasks[BLOCKED + 5]] {
        std::fs::write(fixture.video(task), "some other bytes")?;
    }
    Ok(tasks)
}

fn check(report: &AuditReport) -> anyhow::Result<()> {
    let videos = VIDEOS as i64;
    ensure!(
        (report.receipts, report.objects) == (videos, videos),
        "{report:?}"
    );
    ensure!(
        report.finding_counts == [("wrong_size".to_owned(), 2)].into(),
        "{report:?}"
    );
    ensure!(report.findings.len() == 2, "{report:?}");
    Ok(())
}

/// Waits until the heartbeat of an audit has all receipts before the blocked one.
async fn until_blocked(audit: &Audit) -> anyhow::Result<()> {
    until_async("the audit reads the blocked video", || async {
        let state = audit.heartbeat().await?.unwrap_or_default();
        let report = state.report.unwrap_or_default();
        Ok(report.receipts == BLOCKED as i64)
    })
    .await
}

async fn another_worker_continues_the_audit_of_a_killed_worker(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let tasks = write(&fixture)?;
    let blocked = fixture.block(&tasks[BLOCKED])?;
    let mut first = fixture.spawn_worker(&server)?;
    let audit = Audit::start(&server, &fixture, "1").await?;
    until_blocked(&audit).await?;
    first.kill().await?;
    std::fs::remove_file(blocked.restore()?)?;
    // The next worker must not verify this one again.
    std::fs::remove_file(fixture.video(&tasks[0]))?;

    let report = fixture.with_worker(&server, audit.report()).await?;
    check(&report)?;
    fixture.read_report(&report)
}
register!(
    another_worker_continues_the_audit_of_a_killed_worker,
    takes_long
);

async fn a_worker_that_shuts_down_hands_its_audit_over(server: Arc<Server>) -> anyhow::Result<()> {
    let mut fixture = Fixture::new(&server).await?;
    fixture.config.worker.grace_period = GracePeriod(Duration::from_secs(1));
    let tasks = write(&fixture)?;
    let blocked = fixture.block(&tasks[BLOCKED])?;
    let audit = fixture
        .with_worker(&server, async {
            let audit = Audit::start(&server, &fixture, "1").await?;
            until_blocked(&audit).await?;
            Ok(audit)
        })
        .await?;
    // The server has not noticed a death: the worker said that it ends.
    let description = audit.0.describe(WorkflowDescribeOptions::default()).await?;
    let activity = description.raw().pending_activities.first();
    let failure = activity.and_then(|activity| activity.last_failure.as_ref());
    let message = failure.map_or("", |failure| failure.message.as_str());
    ensure!(message.contains("the worker shuts down"), "{activity:?}");
    blocked.release().await?;
    // The next worker must not verify this one again.
    std::fs::remove_file(fixture.video(&tasks[0]))?;

    let report = fixture.with_worker(&server, audit.report()).await?;
    check(&report)
}
register!(a_worker_that_shuts_down_hands_its_audit_over);

async fn a_cancelled_audit_writes_no_report(server: Arc<Server>) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let tasks = write(&fixture)?;
    let blocked = fixture.block(&tasks[BLOCKED])?;
    fixture
        .with_worker(&server, async {
            let audit = Audit::start(&server, &fixture, "1").await?;
            until_blocked(&audit).await?;
            audit.0.cancel(WorkflowCancelOptions::default()).await?;
            let ended = audit.0.get_result(WorkflowGetResultOptions::default());
            let ended = ended.await;
            let is_cancelled = matches!(ended, Err(WorkflowGetResultError::Cancelled { .. }));
            ensure!(is_cancelled, "{ended:?}");
            blocked.release().await
        })
        .await?;
    let files = fixture.archived_files()?;
    let has_report = files.iter().any(|file| file.starts_with(".audit/"));
    ensure!(!has_report, "{files:?}");
    Ok(())
}
register!(a_cancelled_audit_writes_no_report);

/// After half an hour, another activity continues, so that no slot is occupied for longer.
async fn a_long_audit_is_divided_into_activities(server: Arc<Server>) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let tasks = write(&fixture)?;
    let blocked = fixture.block(&tasks[BLOCKED])?;
    let work = async {
        let audit = Audit::start(&server, &fixture, "1").await?;
        until_blocked(&audit).await?;
        fixture.advance_clock(HOUR).await;
        blocked.release().await?;
        let report = audit.report().await?;
        Ok((audit, report))
    };
    let (audit, report) = fixture.with_worker(&server, work).await?;
    check(&report)?;
    let history = audit
        .0
        .fetch_history(WorkflowFetchHistoryOptions::default());
    let events = history.into_events().await?;
    let activities = events.iter().filter(|event| {
        let attributes = event.attributes.as_ref();
        matches!(
            attributes,
            Some(Attributes::ActivityTaskScheduledEventAttributes(_))
        )
    });
    ensure!(activities.count() == 2, "{events:?}");
    Ok(())
}
register!(a_long_audit_is_divided_into_activities);

/// Each activity verifies one receipt, because half an hour passes meanwhile.
async fn a_very_long_audit_continues_as_new(server: Arc<Server>) -> anyhow::Result<()> {
    const RECEIPTS: usize = 60;
    let fixture = Fixture::new(&server).await?;
    let tasks = write_videos(&fixture, RECEIPTS)?;
    for task in &tasks {
        std::fs::write(fixture.video(task), "some other bytes")?;
    }
    let time_flies = async {
        loop {
            fixture.clock.advance(HOUR).await;
            // This is how fast the clock runs, and nothing is waited for: no condition could be checked while one receipt is verified.
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let work = async {
        let audit = Audit::start(&server, &fixture, "1").await?;
        let report = tokio::select! {
            report = audit.report() => report?,
            () = time_flies => anyhow::bail!("time ended"),
        };
        Ok((audit, report))
    };
    let (audit, report) = fixture.with_worker(&server, work).await?;
    ensure!(report.receipts == RECEIPTS as i64, "{report:?}");
    let expected = [("wrong_size".to_owned(), RECEIPTS as i64)].into();
    ensure!(report.finding_counts == expected, "{report:?}");
    let history = server
        .client
        .get_workflow_handle::<seedance_archiver_workflows::AuditArchive>(
            audit.0.info().workflow_id.clone(),
        )
        .fetch_history(WorkflowFetchHistoryOptions::default());
    let events = history.into_events().await?;
    let first = events.first().and_then(|event| event.attributes.as_ref());
    let is_continued = matches!(
        first,
        Some(Attributes::WorkflowExecutionStartedEventAttributes(started))
            if !started.continued_execution_run_id.is_empty()
    );
    ensure!(is_continued, "one run verified everything");
    Ok(())
}
register!(a_very_long_audit_continues_as_new);
