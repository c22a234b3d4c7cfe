//! Audits: each verifies the part of the archive that was verified longest ago.

mod crashes;
mod metrics;
mod outages;
mod schedule;
mod stores;

use std::{collections::BTreeMap, sync::Arc};

use anyhow::{Context, ensure};
use object_store::path::Path;
use seedance_archiver::archive::{Archive, audit::hash_of};
use seedance_archiver_proto::v1::{AuditArchiveRequest, AuditFinding, AuditReport};
use serde_json::Value;
use temporalio_client::errors::WorkflowGetResultError;

use crate::harness::{
    DAY, Fixture, Server, audits::Audit, command, failures::root_cause, register,
};

/// Number of videos.
const VIDEOS: usize = 40;

/// Writes videos, and returns the directories of their tasks.
pub(super) fn write_videos(fixture: &Fixture, count: usize) -> anyhow::Result<Vec<String>> {
    let tasks: Vec<_> = (0..count)
        .map(|number| format!("default/2026/08/{:02}/cgt-{number}", 1 + number % 28))
        .collect();
    for task in &tasks {
        fixture.write_video(task, task.repeat(100).as_bytes())?;
    }
    Ok(tasks)
}

/// Returns whether the receipt of a finding is in the part that the audit verified.
fn is_in_share(
    archive: &Archive,
    report: &AuditReport,
    finding: &AuditFinding,
) -> anyhow::Result<bool> {
    let hash = i64::from(hash_of(archive, &Path::parse(&finding.receipt)?));
    let part = report
        .coverage
        .iter()
        .find(|part| (part.from..part.to).contains(&hash));
    Ok(part.context("no part")?.verified_at == report.started_at)
}

async fn each_difference_is_found_by_the_audit_of_its_share(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let tasks = write_videos(&fixture, VIDEOS)?;
    let [changed, truncated, missing, invalid] = [3, 11, 19, 27].map(|index| &tasks[index]);
    let mut video = std::fs::read(fixture.video(changed))?;
    video[500] ^= 1;
    std::fs::write(fixture.video(changed), video)?;
    let video = std::fs::read(fixture.video(truncated))?;
    std::fs::write(fixture.video(truncated), &video[..video.len() / 2])?;
    std::fs::remove_file(fixture.video(missing))?;
    std::fs::write(fixture.video(invalid).with_file_name("manifest.json"), "{}")?;
    let before = contents(&fixture)?;
    let archive = Archive::open(&fixture.config.archive_url)?;

    let mut reports = Vec::new();
    fixture
        .with_worker(&server, async {
            for _ in 0..5 {
                reports.push(fixture.audit(&server, "1/4").await?);
                fixture.advance_clock(DAY).await;
            }
            Ok(())
        })
        .await?;
    let mut found: BTreeMap<String, String> = BTreeMap::new();
    for report in &reports {
        fixture.read_report(report)?;
        for finding in &report.findings {
            ensure!(
                is_in_share(&archive, report, finding)?,
                "{finding:?} in {report:?}"
            );
        }
    }
    for report in &reports[..4] {
        ensure!((1..VIDEOS as i64).contains(&report.receipts), "{report:?}");
        for finding in &report.findings {
            let earlier = found.insert(finding.receipt.clone(), finding.kind.clone());
            ensure!(earlier.is_none(), "found twice: {finding:?}");
        }
    }
    let expected = [
        (changed, "wrong_digest"),
        (truncated, "wrong_size"),
        (missing, "missing"),
        (invalid, "invalid_receipt"),
    ];
    let expected = expected.map(|(task, kind)| (format!("{task}/manifest.json"), kind.to_owned()));
    ensure!(found == BTreeMap::from(expected), "{found:?}");
    let sum = |count: fn(&AuditReport) -> i64| reports[..4].iter().map(count).sum::<i64>();
    ensure!(sum(|it| it.receipts) == VIDEOS as i64, "{reports:?}");
    // The invalid receipt names no object.
    ensure!(sum(|it| it.objects) == VIDEOS as i64 - 1, "{reports:?}");

    let oldest = reports.iter().map(|report| report.oldest_verified_at);
    let expected = [0, 0, 0, reports[0].started_at, reports[1].started_at];
    ensure!(oldest.eq(expected), "{reports:?}");
    // The fifth audit verifies what the first one verified.
    ensure!(reports[4].receipts == reports[0].receipts, "{reports:?}");
    ensure!(reports[4].findings == reports[0].findings, "{reports:?}");

    let mut after = contents(&fixture)?;
    after.retain(|path, _| !path.starts_with(".audit/"));
    ensure!(before == after, "an audit changed the archive");
    Ok(())
}
register!(each_difference_is_found_by_the_audit_of_its_share);

/// Returns the bytes of every file in the archive.
fn contents(fixture: &Fixture) -> anyhow::Result<BTreeMap<String, Vec<u8>>> {
    let read = |path: String| {
        let bytes = std::fs::read(fixture.directory.path().join(&path))?;
        Ok((path, bytes))
    };
    fixture.archived_files()?.into_iter().map(read).collect()
}

async fn reports_are_no_videos(server: Arc<Server>) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    write_videos(&fixture, 2)?;
    let report = fixture
        .with_worker(&server, fixture.audit(&server, ""))
        .await?;
    ensure!(
        (report.receipts, report.share.as_str()) == (2, "1"),
        "{report:?}"
    );
    for (arguments, expected) in [
        (
            &["verify", "--deep"][..],
            "2 receipts with 2 objects: 2 verified",
        ),
        (
            &["clean", "--older-than", "0s", "--remove"],
            "nothing is staged",
        ),
    ] {
        let output = command()
            .args(arguments)
            .env("SEEDANCE_ARCHIVE_URL", fixture.config.archive_url.as_str())
            .output()
            .await?;
        let stdout = String::from_utf8_lossy(&output.stdout);
        ensure!(stdout.contains(expected), "{stdout}");
    }
    fixture.read_report(&report)
}
register!(reports_are_no_videos);

async fn an_empty_archive_has_a_report_without_receipts(server: Arc<Server>) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let report = fixture
        .with_worker(&server, fixture.audit(&server, "1/2"))
        .await?;
    ensure!((report.receipts, report.bytes) == (0, 0), "{report:?}");
    fixture.read_report(&report)?;
    let files = fixture.archived_files()?;
    ensure!(
        files.len() == 1 && files[0].starts_with(".audit/"),
        "{files:?}"
    );
    Ok(())
}
register!(an_empty_archive_has_a_report_without_receipts);

/// What an unreadable report says is not believed.
async fn an_invalid_report_is_skipped(server: Arc<Server>) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    write_videos(&fixture, 8)?;
    let audits = async {
        let first = fixture.audit(&server, "1/2").await?;
        let reports = fixture.directory.path().join(".audit");
        let name = first.report_url.rsplit('/').next().context("no name")?;
        // The newest one by its name.
        let invalid = name.replace(".json", "z.json");
        std::fs::write(reports.join(invalid), "{\"coverage\": 1}")?;
        std::fs::write(reports.join("9.txt"), "a note")?;
        fixture.advance_clock(DAY).await;
        Ok([first, fixture.audit(&server, "1/2").await?])
    };
    let [first, second] = fixture.with_worker(&server, audits).await?;
    ensure!(
        first.receipts + second.receipts == 8,
        "{first:?} {second:?}"
    );
    ensure!(second.oldest_verified_at == first.started_at, "{second:?}");
    Ok(())
}
register!(an_invalid_report_is_skipped);

async fn only_an_allowed_destination_is_audited(server: Arc<Server>) -> anyhow::Result<()> {
    let mut fixture = Fixture::new(&server).await?;
    let allowed = fixture.allow_destination("team")?;
    write_videos(&fixture, 2)?;
    fixture.write_video("team/default/cgt-1", b"a video")?;
    let request = |destination: &str| AuditArchiveRequest {
        destination: destination.to_owned(),
        ..AuditArchiveRequest::default()
    };
    let other = fixture.config.archive_url.join("other")?;
    let (report, error) = fixture
        .with_worker(&server, async {
            let report = Audit::start_with(&server, &fixture, request(allowed.as_str())).await?;
            let refused = Audit::start_with(&server, &fixture, request(other.as_str())).await?;
            Ok((
                report.report().await?,
                refused.0.get_result(Default::default()).await,
            ))
        })
        .await?;
    ensure!(report.receipts == 1, "{report:?}");
    ensure!(
        report.report_url.starts_with(&format!("{allowed}/.audit/")),
        "{report:?}"
    );
    let Err(WorkflowGetResultError::Failed(failure)) = error else {
        anyhow::bail!("the destination was audited");
    };
    let failure = format!("{:?}", root_cause(&failure));
    ensure!(failure.contains("DestinationNotAllowed"), "{failure}");
    ensure!(
        failure.contains("no account of this worker allows"),
        "{failure}"
    );
    Ok(())
}
register!(only_an_allowed_destination_is_audited);

async fn an_invalid_request_fails_the_audit(server: Arc<Server>) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let request = |share: &str, destination: &str| AuditArchiveRequest {
        share: share.to_owned(),
        destination: destination.to_owned(),
        ..AuditArchiveRequest::default()
    };
    for (request, field) in [
        (request("2", ""), "`share` must be a fraction"),
        (request("1/2000", ""), "`share` must be a fraction"),
        (
            request("1", "videos"),
            "`destination` must be an archive URL",
        ),
    ] {
        let failed = fixture
            .with_worker(&server, async {
                let audit = Audit::start_with(&server, &fixture, request).await?;
                Ok(audit.0.get_result(Default::default()).await)
            })
            .await?;
        let Err(WorkflowGetResultError::Failed(failure)) = failed else {
            anyhow::bail!("the audit did not fail");
        };
        let failure = format!("{:?}", root_cause(&failure));
        ensure!(
            failure.contains("InvalidRequest") && failure.contains(field),
            "{failure}"
        );
    }
    ensure!(fixture.archived_files()?.is_empty());
    Ok(())
}
register!(an_invalid_request_fails_the_audit);

/// Returns the document on stdout of a command.
pub(super) fn document(output: &std::process::Output) -> anyhow::Result<Value> {
    serde_json::from_slice(&output.stdout).with_context(|| format!("{output:?}"))
}
