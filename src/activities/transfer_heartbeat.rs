//! The heartbeat of `ArchiveVideo`: the progress, and the checkpoint from which another worker resumes.

use std::{convert::Infallible, time::Duration};

use seedance_archiver_policy::transfers::{Finding, History};
use seedance_archiver_proto::v1::ArchiveProgress;
use serde::{Deserialize, Serialize};
use temporalio_sdk::activities::ActivityContext;

use super::heartbeat;
use crate::archive::{ArchiveState, ObjectKind, Progress};

/// Maximum size of a heartbeat as JSON, in bytes. Temporal fails an activity for good whose heartbeat has more than 2 MB;
/// a payload codec may enlarge it.
const MAX_HEARTBEAT: usize = 1024 * 1024;
/// Interval between two heartbeats.
const INTERVAL: Duration = Duration::from_millis(500);

#[derive(Deserialize, Serialize)]
struct TransferHeartbeat {
    #[serde(flatten)]
    progress: ArchiveProgress,
    /// The field has its name of version 0.1.0, so that workers of both versions resume each other's transfers.
    #[serde(rename = "place")]
    state: ArchiveState,
    /// The failures of earlier attempts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    findings: Vec<SavedFinding>,
}

/// The failures of one type.
#[derive(Deserialize, Serialize)]
struct SavedFinding {
    r#type: String,
    reason: String,
    count: u32,
    last: String,
}

/// Returns the progress and the failures of the attempts before this one. Without a heartbeat that this version can
/// read, the transfer starts over.
pub(super) fn last(ctx: &ActivityContext) -> (Progress, History) {
    let heartbeat: Option<TransferHeartbeat> = heartbeat::last_details(ctx);
    let Some(TransferHeartbeat {
        state, findings, ..
    }) = heartbeat
    else {
        return Default::default();
    };
    let findings = findings.into_iter().map(SavedFinding::restore);
    (Progress::resume(state), History::new(findings.collect()))
}

/// Heartbeats until it is dropped, even while the transfer waits.
pub(super) async fn record_continuously(
    ctx: &ActivityContext,
    progress: &Progress,
    history: &History,
) -> Infallible {
    let details = || TransferHeartbeat::new(progress, history);
    heartbeat::record_every(ctx, INTERVAL, details).await
}

/// Heartbeats once.
pub(super) async fn record(ctx: &ActivityContext, progress: &Progress, history: &History) {
    heartbeat::record(ctx, TransferHeartbeat::new(progress, history)).await;
}

impl SavedFinding {
    fn new(finding: &Finding) -> Self {
        Self {
            r#type: finding.failure_type.clone(),
            reason: finding.reason.clone(),
            count: finding.count,
            last: finding.last_message.clone(),
        }
    }

    fn restore(self) -> Finding {
        Finding {
            failure_type: self.r#type,
            reason: self.reason,
            count: self.count,
            last_message: self.last,
        }
    }
}

impl TransferHeartbeat {
    fn new(progress: &Progress, history: &History) -> Self {
        let state = progress.state();
        let number = |bytes: u64| i64::try_from(bytes).unwrap_or(i64::MAX);
        Self {
            progress: ArchiveProgress {
                object: state.kind.map_or("", ObjectKind::name).to_owned(),
                bytes_done: number(state.bytes_done),
                bytes_total: state.bytes_total.map_or(0, number),
            },
            state,
            findings: history.findings().iter().map(SavedFinding::new).collect(),
        }
        .bounded()
    }

    /// Removes the checkpoint if the heartbeat is too large: a store may give each part a long ETag.
    fn bounded(self) -> Self {
        match serde_json::to_vec(&self) {
            Ok(json) if json.len() > MAX_HEARTBEAT => Self {
                state: self.state.without_checkpoint(),
                ..self
            },
            _ => self,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_heartbeat_of_version_0_1_0_has_no_findings() {
        let state = ArchiveState::default();
        let heartbeat: TransferHeartbeat =
            serde_json::from_value(json!({"object": "", "place": state})).unwrap();
        assert!(heartbeat.findings.is_empty());
    }

    #[test]
    fn a_heartbeat_that_would_be_too_large_has_no_checkpoint() {
        let upload = json!({"key": "k", "id": "i".repeat(3_000_000), "parts": []});
        let state = json!({"kind": null, "done": 7, "total": 9, "upload": upload});
        let progress = Progress::resume(serde_json::from_value(state).unwrap());
        let heartbeat = TransferHeartbeat::new(&progress, &History::default());
        assert_eq!(heartbeat.progress.bytes_done, 7);
        assert!(serde_json::to_vec(&heartbeat).unwrap().len() < MAX_HEARTBEAT);
    }

    #[test]
    fn findings_survive_a_heartbeat() {
        let mut history = History::default();
        history.add("CorruptVideo", "corrupt_video", "invalid download");
        history.add("UrlExpired", "url_expired", "HTTP 403");
        let heartbeat = TransferHeartbeat::new(&Progress::default(), &history);
        let json = serde_json::to_value(heartbeat).unwrap();
        assert_eq!(json["findings"][0]["type"], "CorruptVideo");
        let restored: TransferHeartbeat = serde_json::from_value(json).unwrap();
        let findings = restored.findings.into_iter().map(SavedFinding::restore);
        assert_eq!(History::new(findings.collect()), history);
    }
}
