//! The heartbeat of `ArchiveVideo`: the progress, and the checkpoint from which another worker resumes.

use std::{convert::Infallible, time::Duration};

use seedance_archiver_policy::transfers::{Finding, History};
use seedance_archiver_proto::v1::ArchiveProgress;
use serde::{Deserialize, Serialize};
use temporalio_sdk::activities::ActivityContext;

use super::heartbeat;
use crate::archive::{ArchiveState, ObjectKind, Progress};

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
    /// Why the destination of the request was given up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    given_up: Option<String>,
}

/// What the next attempt needs to know.
#[derive(Default)]
pub(super) struct TransferState {
    pub(super) progress: Progress,
    /// The failures of earlier attempts.
    pub(super) history: History,
    /// Why the destination of the request was given up.
    pub(super) given_up: Option<String>,
}

/// The failures of one type.
#[derive(Deserialize, Serialize)]
struct SavedFinding {
    r#type: String,
    reason: String,
    count: u32,
    last: String,
}

/// Returns the state that the last attempt left. Without a heartbeat that this version can read, the transfer starts
/// over.
pub(super) fn last(ctx: &ActivityContext) -> TransferState {
    let heartbeat: Option<TransferHeartbeat> = heartbeat::last_details(ctx);
    let Some(heartbeat) = heartbeat else {
        return TransferState::default();
    };
    let findings = heartbeat.findings.into_iter().map(SavedFinding::restore);
    TransferState {
        progress: Progress::resume(heartbeat.state),
        history: History::new(findings.collect()),
        given_up: heartbeat.given_up,
    }
}

/// Heartbeats until it is dropped, even while the transfer waits.
pub(super) async fn record_continuously(
    ctx: &ActivityContext,
    state: &TransferState,
) -> Infallible {
    let details = || TransferHeartbeat::new(state);
    heartbeat::record_every(ctx, INTERVAL, details).await
}

/// Heartbeats once.
pub(super) async fn record(ctx: &ActivityContext, state: &TransferState) {
    heartbeat::record(ctx, TransferHeartbeat::new(state)).await;
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
    fn new(transfer: &TransferState) -> Self {
        let state = transfer.progress.state();
        let number = |bytes: u64| i64::try_from(bytes).unwrap_or(i64::MAX);
        Self {
            progress: ArchiveProgress {
                object: state.kind.map_or("", ObjectKind::name).to_owned(),
                bytes_done: number(state.bytes_done),
                bytes_total: state.bytes_total.map_or(0, number),
            },
            state,
            findings: transfer
                .history
                .findings()
                .iter()
                .map(SavedFinding::new)
                .collect(),
            given_up: transfer.given_up.clone(),
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
    fn findings_survive_a_heartbeat() {
        let mut state = TransferState::default();
        let history = &mut state.history;
        history.add("CorruptVideo", "corrupt_video", "invalid download");
        history.add("UrlExpired", "url_expired", "HTTP 403");
        let heartbeat = TransferHeartbeat::new(&state);
        let json = serde_json::to_value(heartbeat).unwrap();
        assert_eq!(json["findings"][0]["type"], "CorruptVideo");
        let restored: TransferHeartbeat = serde_json::from_value(json).unwrap();
        let findings = restored.findings.into_iter().map(SavedFinding::restore);
        assert_eq!(History::new(findings.collect()), state.history);
    }
}
