//! What an audit has verified so far.

use std::time::SystemTime;

use jiff::Timestamp;
use object_store::path::Path;
use seedance_archiver_policy::audits::{Coverage, Share};
use seedance_archiver_proto::{
    external,
    time::unix_seconds,
    v1::{AuditFinding, AuditReport, AuditState, AuditedPart},
};

use crate::{
    archive::{
        Archive,
        audit::{Finding, Position, Verified, report_key},
    },
    telemetry::record,
};

/// Maximum size of the findings in a report as JSON, in bytes. The report is in the heartbeat, and in the history.
const MAX_FINDINGS_BYTES: usize = 32 * 1024;
/// Maximum length of a key or a name in a finding, in characters.
const MAX_KEY: usize = 1_024;
/// Maximum length of the problem in a finding, in characters.
const MAX_PROBLEM: usize = 400;
/// Number of characters of the run id in the name of a report.
const RUN_ID_CHARS: usize = 8;

/// The counts of an audit, and the key up to which they are complete.
pub(super) struct Progress {
    /// The state that this attempt started with.
    first: AuditState,
    current: AuditState,
    position: Position,
    findings_bytes: usize,
}

impl Progress {
    /// Continues from the heartbeat of an earlier attempt, or from the end of the activity before.
    pub(super) fn resume(heartbeat: Option<AuditState>, requested: Option<AuditState>) -> Self {
        let states = [heartbeat, requested].into_iter().flatten();
        let mut states = states.filter(is_valid);
        let state = states.next().unwrap_or_default();
        let findings = state.report.iter().flat_map(|report| &report.findings);
        Self {
            findings_bytes: findings.map(size).sum(),
            position: Position::new(Path::parse(&state.after).ok().filter(|it| !it.is_root())),
            first: state.clone(),
            current: state,
        }
    }

    pub(super) fn is_started(&self) -> bool {
        self.current.report.is_some()
    }

    /// Starts an audit. `last` is the report before.
    pub(super) fn start(
        &mut self,
        archive: &Archive,
        share: Share,
        last: &AuditReport,
        now: SystemTime,
        run_id: &str,
    ) {
        let name = report_name(now, run_id);
        let report = AuditReport {
            archive_url: archive.url().to_string(),
            report_url: archive.url_of(&report_key(archive, &name)),
            share: share.to_string(),
            started_at: unix_seconds(now),
            coverage: Coverage::new(&last.coverage).parts(),
            archiver_version: env!("CARGO_PKG_VERSION").to_owned(),
            ..AuditReport::default()
        };
        self.current = AuditState {
            report_name: name,
            report: Some(report),
            after: String::new(),
        };
        self.first = self.current.clone();
    }

    /// Returns when each part was verified before this audit.
    pub(super) fn coverage(&self) -> Vec<AuditedPart> {
        let report = self.current.report.as_ref();
        report
            .map(|report| report.coverage.clone())
            .unwrap_or_default()
    }

    /// Returns the key up to which receipts are verified already.
    pub(super) fn after(&self) -> Option<Path> {
        self.position.key().cloned()
    }

    /// Adds the next receipt. One that was deleted meanwhile does not count. Returns whether another activity can continue
    /// after it.
    pub(super) fn add(&mut self, verified: Verified) -> bool {
        record::audited(verified.objects, verified.bytes);
        let report = self.current.report.get_or_insert_default();
        report.receipts += i64::from(!verified.is_deleted());
        report.objects += i64::try_from(verified.objects).unwrap_or(i64::MAX);
        report.bytes += i64::try_from(verified.bytes).unwrap_or(i64::MAX);
        for finding in &verified.findings {
            let kind: &'static str = finding.kind.into();
            record::audit_finding(kind);
            *report.finding_counts.entry(kind.to_owned()).or_default() += 1;
            let finding = bounded(finding);
            let size = size(&finding);
            if self.findings_bytes + size <= MAX_FINDINGS_BYTES {
                self.findings_bytes += size;
                log(&finding);
                report.findings.push(finding);
            }
        }
        self.position.advance_to(verified.key);
        self.position.key().is_some()
    }

    /// Returns the state from which another attempt can continue: the one at the start, if the store lists keys in no
    /// order.
    pub(super) fn state(&self) -> AuditState {
        match self.position.key() {
            Some(key) => AuditState {
                after: key.to_string(),
                ..self.current.clone()
            },
            None => self.first.clone(),
        }
    }

    pub(super) fn report_name(&self) -> String {
        self.current.report_name.clone()
    }

    /// Returns the report of an audit that has verified its share.
    pub(super) fn report(&self, share: Share, now: SystemTime) -> AuditReport {
        let report = self.current.report.clone().unwrap_or_default();
        let coverage = Coverage::new(&report.coverage).after(share, report.started_at);
        AuditReport {
            ended_at: unix_seconds(now),
            oldest_verified_at: coverage.oldest(),
            coverage: coverage.parts(),
            ..report
        }
    }
}

/// Returns whether an audit can continue from a state. A caller may have sent it.
fn is_valid(state: &AuditState) -> bool {
    let (name, after) = (&state.report_name, &state.after);
    let is_name = name.starts_with(|first: char| first.is_ascii_digit()) && name.ends_with(".json");
    let is_key = Path::parse(after).is_ok_and(|key| key.as_ref() == after);
    state.report.is_some() && is_name && is_key
}

/// Returns the name of a report. It begins with the time, so that reports are in order, and no two audits have the same.
fn report_name(now: SystemTime, run_id: &str) -> String {
    let time = Timestamp::try_from(now).unwrap_or_default();
    let run: String = run_id.chars().filter(char::is_ascii_hexdigit).collect();
    let start = run.len().saturating_sub(RUN_ID_CHARS);
    let run = run.get(start..).unwrap_or_default();
    format!("{}-{run}.json", time.strftime("%Y-%m-%dT%H-%M-%S%.3fZ"))
}

/// Returns a finding for a report. A receipt may have been edited, and an error is the store's.
fn bounded(finding: &Finding) -> AuditFinding {
    let kind: &'static str = finding.kind.into();
    AuditFinding {
        receipt: external::line(&finding.receipt, MAX_KEY),
        object: external::line(&finding.object, MAX_KEY),
        kind: kind.to_owned(),
        problem: external::line(&finding.problem, MAX_PROBLEM),
    }
}

fn size(finding: &AuditFinding) -> usize {
    serde_json::to_vec(finding).map_or(0, |json| json.len())
}

fn log(finding: &AuditFinding) {
    tracing::error!(
        receipt = finding.receipt,
        object = finding.object,
        kind = finding.kind,
        problem = finding.problem,
        "an object differs from its receipt"
    );
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use object_store::memory::InMemory;
    use seedance_archiver_policy::audits::HASHES;

    use super::*;
    use crate::archive::audit::FindingKind;

    fn started() -> Progress {
        let mut progress = Progress::resume(None, None);
        assert!(!progress.is_started());
        let archive = Archive::from_store("memory:///".parse().unwrap(), Arc::new(InMemory::new()));
        let now = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_787_898_431);
        let (share, last) = ("1/2".parse().unwrap(), AuditReport::default());
        progress.start(&archive, share, &last, now, "0193-abcd-ef01-2345");
        progress
    }

    fn verified(key: &str, problem: Option<&str>) -> Verified {
        let finding = |problem: &str| Finding {
            receipt: key.to_owned(),
            object: "video.mp4".to_owned(),
            kind: FindingKind::WrongSize,
            problem: problem.to_owned(),
        };
        Verified {
            key: Path::from(key),
            objects: 2,
            bytes: 10,
            findings: problem.map(finding).into_iter().collect(),
        }
    }

    #[test]
    fn another_attempt_counts_only_what_follows() {
        let mut first = started();
        assert!(first.add(verified("a", None)) && first.add(verified("b", Some("is short"))));
        let heartbeat = first.state();
        assert_eq!(heartbeat.after, "b");
        // Lost with the worker.
        first.add(verified("c", Some("is short")));
        let mut second = Progress::resume(Some(heartbeat), Some(started().state()));
        assert_eq!(second.after(), Some(Path::from("b")));
        second.add(verified("c", Some("is short")));
        let now = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_787_898_500);
        let report = second.report("1/2".parse().unwrap(), now);
        assert_eq!((report.receipts, report.objects, report.bytes), (3, 6, 30));
        assert_eq!(report.finding_counts, [("wrong_size".to_owned(), 2)].into());
        assert_eq!(report.findings.len(), 2);
        assert_eq!(
            (report.started_at, report.ended_at),
            (1_787_898_431, 1_787_898_500)
        );
        let [verified, rest] = &report.coverage[..] else {
            panic!("{report:?}");
        };
        assert_eq!(
            (verified.from, verified.to, verified.verified_at),
            (0, 1 << 31, 1_787_898_431)
        );
        assert_eq!((rest.to, rest.verified_at), (HASHES as i64, 0));
        assert_eq!(report.oldest_verified_at, 0);
        assert_eq!(
            second.report_name(),
            "2026-08-28T06-27-11.000Z-ef012345.json"
        );
        assert!(
            report
                .report_url
                .ends_with("/.audit/2026-08-28T06-27-11.000Z-ef012345.json")
        );
    }

    #[test]
    fn a_receipt_that_was_deleted_meanwhile_does_not_count() {
        let mut progress = started();
        let deleted = Verified {
            objects: 0,
            bytes: 0,
            ..verified("b", None)
        };
        assert!(progress.add(verified("a", None)) && progress.add(deleted));
        let state = progress.state();
        assert_eq!(state.after, "b");
        assert_eq!(state.report.unwrap().receipts, 1);
    }

    #[test]
    fn a_store_without_an_order_starts_over() {
        let mut progress = started();
        assert!(progress.add(verified("b", None)));
        assert!(!progress.add(verified("a", None)));
        assert_eq!(progress.state(), started().state());
    }

    #[test]
    fn many_findings_are_counted_and_some_are_kept() {
        let mut progress = started();
        let problem = "x".repeat(3_000);
        for number in 0..1_000 {
            progress.add(verified(&format!("{number:04}"), Some(&problem)));
        }
        let state = progress.state();
        let report = state.report.clone().unwrap();
        assert_eq!(report.finding_counts["wrong_size"], 1_000);
        assert!(report.findings.len() > 10, "{}", report.findings.len());
        let size = serde_json::to_vec(&state).unwrap().len();
        assert!(size < MAX_FINDINGS_BYTES + 1_000, "{size}");
        let mut resumed = Progress::resume(Some(state), None);
        resumed.add(verified("2000", Some(&problem)));
        assert_eq!(
            resumed.state().report.unwrap().findings.len(),
            report.findings.len()
        );
    }

    #[test]
    fn a_state_that_is_none_is_ignored() {
        let invalid = AuditState {
            after: "a//b".to_owned(),
            ..started().state()
        };
        let of_receipt = AuditState {
            report_name: "manifest.json".to_owned(),
            ..started().state()
        };
        for state in [AuditState::default(), invalid, of_receipt] {
            assert!(!Progress::resume(Some(state.clone()), None).is_started());
            assert!(Progress::resume(Some(state), Some(started().state())).is_started());
        }
    }
}
