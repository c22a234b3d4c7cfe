//! The heartbeat of `ArchiveVideo`: the progress, and the checkpoint from which another worker resumes.

use std::{convert::Infallible, time::Duration};

use seedance_archiver_policy::transfers::{Finding, History, Streak, Streaks};
use seedance_archiver_proto::v1::ArchiveProgress;
use serde::{Deserialize, Serialize};
use temporalio_sdk::activities::ActivityContext;

use super::heartbeat;
use crate::archive::{ArchiveState, ObjectKind, Progress};

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
}

/// Returns the progress and the failures of the attempts before this one. Without a heartbeat that this version can
/// read, the transfer starts over.
pub(super) fn last(ctx: &ActivityContext) -> (Progress, History) {
    let heartbeat: Option<TransferHeartbeat> = heartbeat::last_details(ctx);
    let Some(TransferHeartbeat {
        state,
        findings,
        streaks,
        ..
    }) = heartbeat
    else {
        return Default::default();
    };
    let findings = findings.into_iter().map(SavedFinding::restore);
    let history = History::new(findings.collect(), streaks.restore());
    (Progress::resume(state), history)
}

/// Heartbeats until it is dropped, even while the transfer waits, and at once when another worker can resume from a
/// later point.
pub(super) async fn record_continuously(
    ctx: &ActivityContext,
    progress: &Progress,
    history: &History,
) -> Infallible {
    let mut ticks = tokio::time::interval(INTERVAL);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = progress.saved() => {}
        }
        record(ctx, progress, history).await;
    }
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
            streaks: SavedStreaks::new(history.streaks()),
        }
    }
}

#[cfg(test)]
mod tests {
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
    }

    #[test]
    fn findings_survive_a_heartbeat() {
        let mut history = History::default();
        history.add("CorruptVideo", "corrupt_video", "invalid download");
        history.add("UrlExpired", "url_expired", "HTTP 403");
        let reached = Reached {
            downloaded: 5,
            stored: 3,
        };
        for side in [Side::Host, Side::Store, Side::Api, Side::Url, Side::Url] {
            history.count(side, reached);
        }
        let heartbeat = TransferHeartbeat::new(&Progress::default(), &history);
        let json = serde_json::to_value(heartbeat).unwrap();
        assert_eq!(json["findings"][0]["type"], "CorruptVideo");
        let restored: TransferHeartbeat = serde_json::from_value(json).unwrap();
        let findings = restored.findings.into_iter().map(SavedFinding::restore);
        let streaks = restored.streaks.restore();
        assert_eq!(History::new(findings.collect(), streaks), history);
    }
}
