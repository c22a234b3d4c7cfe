//! The schedule of an archive and its last audit, as `audit` shows them.

use std::time::SystemTime;

use indicatif::HumanBytes;
use jiff::SignedDuration;
use seedance_archiver_proto::{
    time::unix_seconds,
    v1::{AuditFinding, AuditReport},
    visible,
};
use seedance_archiver_workflows::details;
use serde::Serialize;

use crate::{
    cli::text::{count, time, time_with_age},
    temporal::audits::status::{AuditStatus, EndedAudit, RunningAudit},
};

/// The document of `--output json`. Times are Unix seconds, 0 if unknown.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    schedule_id: String,
    every_seconds: u64,
    share: String,
    is_paused: bool,
    next_at: i64,
    running: Option<Running>,
    last: Option<Last>,
}

#[derive(Debug, Serialize)]
struct Running {
    workflow_id: String,
    started_at: i64,
    /// The report so far.
    report: AuditReport,
    last_message: String,
}

#[derive(Debug, Serialize)]
struct Last {
    workflow_id: String,
    /// How the workflow ended.
    status: String,
    ended_at: i64,
    /// `None` if the audit did not complete.
    report: Option<AuditReport>,
    /// Why it did not complete.
    error: String,
}

impl Report {
    pub(super) fn new(schedule_id: String, status: AuditStatus) -> Self {
        Self {
            schedule_id,
            every_seconds: status.interval.unwrap_or_default().as_secs(),
            share: status.share,
            is_paused: status.is_paused,
            next_at: seconds(status.next_at),
            running: status.running.map(Running::from),
            last: status.last.map(Last::from),
        }
    }

    /// Returns whether the last audit had findings, or did not complete.
    pub(super) fn has_findings(&self) -> bool {
        self.last.as_ref().is_some_and(|last| match &last.report {
            Some(report) => !report.finding_counts.is_empty(),
            None => true,
        })
    }

    pub(super) fn print(&self) {
        outln!("{}", self.schedule());
        if let Some(running) = &self.running {
            running.print();
        }
        match &self.last {
            Some(last) => last.print(),
            None => outln!("no audit has ended yet"),
        }
    }

    fn schedule(&self) -> String {
        let every = i64::try_from(self.every_seconds).unwrap_or(i64::MAX);
        let every = match every {
            0 => "at times that were set by hand".to_owned(),
            every => format!("every {:#}", SignedDuration::from_secs(every)),
        };
        let next = match (self.is_paused, self.next_at) {
            (true, _) => "paused".to_owned(),
            (false, 0) => "no next audit".to_owned(),
            (false, next) => format!("next at {}", time(next)),
        };
        let share = visible::escape(&self.share);
        format!(
            "schedule {}: {share} of the archive {every}, {next}",
            self.schedule_id
        )
    }
}

impl Running {
    fn print(&self) {
        let since = time_with_age(self.started_at);
        outln!("running since {since}: {}", counts(&self.report));
        if !self.last_message.is_empty() {
            outln!(
                "last failed attempt: {}",
                visible::escape(&self.last_message)
            );
        }
    }
}

impl Last {
    fn print(&self) {
        let ended = time_with_age(self.ended_at);
        let Some(report) = &self.report else {
            outln!(
                "last audit: {} at {ended}: {}",
                self.status,
                visible::escape(&self.error)
            );
            return;
        };
        outln!("last audit: {} at {ended}: {}", self.status, counts(report));
        for finding in &report.findings {
            outln!("  {}", visible::escape(&line(finding)));
        }
        let shown = i64::try_from(report.findings.len()).unwrap_or(i64::MAX);
        let found: i64 = report.finding_counts.values().sum();
        if found > shown {
            outln!(
                "  and {} more; to see all, run `seedance-archiver verify --deep`",
                found - shown
            );
        }
        match report.oldest_verified_at {
            0 => outln!("a part of the archive was not verified yet"),
            oldest => outln!(
                "all of the archive was verified since {}",
                time_with_age(oldest)
            ),
        }
        outln!("report: {}", visible::escape(&report.report_url));
    }
}

fn counts(report: &AuditReport) -> String {
    let number = |number: i64, noun| count(usize::try_from(number).unwrap_or_default(), noun);
    format!(
        "{} with {}, {} read; {}",
        number(report.receipts, "receipt"),
        number(report.objects, "object"),
        HumanBytes(report.bytes.unsigned_abs()),
        details::findings(report)
    )
}

fn line(finding: &AuditFinding) -> String {
    format!(
        "{}: {} {}",
        finding.receipt, finding.object, finding.problem
    )
}

fn seconds(time: Option<SystemTime>) -> i64 {
    time.map_or(0, unix_seconds)
}

impl From<RunningAudit> for Running {
    fn from(running: RunningAudit) -> Self {
        Self {
            workflow_id: running.workflow_id,
            started_at: seconds(running.started_at),
            report: running.report,
            last_message: running.last_message,
        }
    }
}

impl From<EndedAudit> for Last {
    fn from(ended: EndedAudit) -> Self {
        let (report, error) = match ended.report {
            Ok(report) => (Some(report), String::new()),
            Err(error) => (None, error),
        };
        Self {
            workflow_id: ended.workflow_id,
            status: ended.status.to_string(),
            ended_at: seconds(ended.ended_at),
            report,
            error,
        }
    }
}
