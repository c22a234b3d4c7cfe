//! The heartbeat of `ArchiveVideo`: the progress, and the checkpoint from which another worker resumes.

use std::{convert::Infallible, sync::Arc, time::Duration};

use seedance_archiver_policy::transfers::{Finding, History, Streak, Streaks};
use seedance_archiver_proto::{
    time::{from_unix_seconds, unix_seconds},
    v1::ArchiveProgress,
};
use serde::{Deserialize, Serialize};
use temporalio_sdk::activities::ActivityContext;

use super::{
    fresh_urls::{FreshUrls, SavedUrls},
    heartbeat,
};
use crate::archive::{ArchiveState, ObjectKind, Progress};

/// Maximum size of a heartbeat as JSON, in bytes. Temporal fails an activity for good whose heartbeat has more than 2 MB;
/// a payload codec may enlarge it.
const MAX_HEARTBEAT: usize = 1024 * 1024;
/// Interval between two heartbeats, unless there is a new point from which another worker can resume.
const INTERVAL: Duration = Duration::from_secs(1);

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
    /// The consecutive failures of each side.
    #[serde(default)]
    streaks: SavedStreaks,
    /// Why the destination of the request was given up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    given_up: Option<String>,
    /// Number of attempts that could not start the delivery of the event.
    #[serde(default)]
    event_failures: u32,
    /// What the queries of the transfer returned.
    #[serde(default, skip_serializing_if = "SavedUrls::is_empty")]
    fresh_urls: SavedUrls,
}

/// What the next attempt needs to know.
#[derive(Default)]
pub(super) struct TransferState {
    pub(super) progress: Progress,
    /// The failures of earlier attempts.
    pub(super) history: History,
    /// Why the destination of the request was given up.
    pub(super) given_up: Option<String>,
    /// Number of attempts that could not start the delivery of the event.
    pub(super) event_failures: u32,
    /// What the queries of the transfer returned.
    pub(super) fresh_urls: Arc<FreshUrls>,
}

#[derive(Default, Deserialize, Serialize)]
#[serde(default)]
struct SavedStreaks {
    host: SavedStreak,
    store: SavedStreak,
    api: SavedStreak,
    url: SavedStreak,
}

#[derive(Default, Deserialize, Serialize)]
struct SavedStreak {
    failures: u32,
    reached: u64,
}

/// The failures of one type.
#[derive(Deserialize, Serialize)]
struct SavedFinding {
    r#type: String,
    reason: String,
    count: u32,
    last: String,
    /// When the first and the last of them failed, in Unix seconds, 0 if unknown: version 0.1 did not know it.
    #[serde(default)]
    since: i64,
    #[serde(default)]
    last_at: i64,
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
        history: History::new(findings.collect(), heartbeat.streaks.restore()),
        given_up: heartbeat.given_up,
        event_failures: heartbeat.event_failures,
        fresh_urls: Arc::new(FreshUrls::restore(heartbeat.fresh_urls)),
    }
}

/// Heartbeats until it is dropped, even while the transfer waits, and at once when another worker can resume from a
/// later point. A transfer of less than a second ends before the first: it is soon repeated, and each heartbeat is one
/// more action for Temporal.
pub(super) async fn record_continuously(
    ctx: &ActivityContext,
    state: &TransferState,
) -> Infallible {
    tokio::time::sleep(INTERVAL).await;
    let mut ticks = tokio::time::interval(INTERVAL);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = state.progress.saved() => {}
        }
        record(ctx, state).await;
    }
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
            since: finding.since.map_or(0, unix_seconds),
            last_at: finding.last_at.map_or(0, unix_seconds),
        }
    }

    fn restore(self) -> Finding {
        Finding {
            failure_type: self.r#type,
            reason: self.reason,
            count: self.count,
            last_message: self.last,
            since: from_unix_seconds(self.since),
            last_at: from_unix_seconds(self.last_at),
        }
    }
}

impl SavedStreaks {
    fn new(streaks: Streaks) -> Self {
        let save = |streak: Streak| SavedStreak {
            failures: streak.failures,
            reached: streak.reached,
        };
        Self {
            host: save(streaks.host),
            store: save(streaks.store),
            api: save(streaks.api),
            url: save(streaks.url),
        }
    }

    fn restore(self) -> Streaks {
        let restore = |saved: SavedStreak| Streak {
            failures: saved.failures,
            reached: saved.reached,
        };
        Streaks {
            host: restore(self.host),
            store: restore(self.store),
            api: restore(self.api),
            url: restore(self.url),
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
            streaks: SavedStreaks::new(transfer.history.streaks()),
            given_up: transfer.given_up.clone(),
            event_failures: transfer.event_failures,
            fresh_urls: transfer.fresh_urls.save(),
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
    use std::time::SystemTime;

    use seedance_archiver_policy::transfers::{Reached, Side};
    use serde_json::json;

    use super::*;

    #[test]
    fn a_heartbeat_of_version_0_1_0_has_no_findings() {
        let state = ArchiveState::default();
        let heartbeat: TransferHeartbeat =
            serde_json::from_value(json!({"object": "", "place": state})).unwrap();
        assert!(heartbeat.findings.is_empty());
        assert_eq!(heartbeat.streaks.restore(), Streaks::default());
        assert!(heartbeat.fresh_urls.is_empty());
    }

    #[test]
    fn a_heartbeat_that_would_be_too_large_has_no_checkpoint() {
        let upload = json!({"key": "k", "id": "i".repeat(3_000_000), "parts": []});
        let state = json!({"kind": null, "done": 7, "total": 9, "upload": upload});
        let progress = Progress::resume(serde_json::from_value(state).unwrap());
        let heartbeat = TransferHeartbeat::new(&TransferState {
            progress,
            ..TransferState::default()
        });
        assert_eq!(heartbeat.progress.bytes_done, 7);
        assert!(serde_json::to_vec(&heartbeat).unwrap().len() < MAX_HEARTBEAT);
    }

    #[test]
    fn findings_survive_a_heartbeat() {
        let mut state = TransferState::default();
        let history = &mut state.history;
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_790_000_000);
        history.add("CorruptVideo", "corrupt_video", "invalid download", now);
        history.add("UrlExpired", "url_expired", "HTTP 403", now);
        let reached = Reached {
            downloaded: 5,
            stored: 3,
        };
        for side in [Side::Host, Side::Store, Side::Api, Side::Url, Side::Url] {
            history.count(side, reached);
        }
        let heartbeat = TransferHeartbeat::new(&state);
        let json = serde_json::to_value(heartbeat).unwrap();
        assert_eq!(json["findings"][0]["type"], "CorruptVideo");
        let restored: TransferHeartbeat = serde_json::from_value(json).unwrap();
        let findings = restored.findings.into_iter().map(SavedFinding::restore);
        let streaks = restored.streaks.restore();
        assert_eq!(History::new(findings.collect(), streaks), state.history);
    }
}
