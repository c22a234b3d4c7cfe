//! The heartbeat of `ArchiveVideo`: the progress, and the checkpoint from which another worker resumes.

use std::{convert::Infallible, time::Duration};

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
}

/// Returns the progress of the attempt before this one. Without a heartbeat that this version can read, the
/// transfer starts over.
pub(super) fn last_progress(ctx: &ActivityContext) -> Progress {
    let heartbeat: Option<TransferHeartbeat> = heartbeat::last_details(ctx);
    Progress::resume(heartbeat.map(|it| it.state).unwrap_or_default())
}

/// Heartbeats until it is dropped, even while the transfer waits.
pub(super) async fn record_continuously(ctx: &ActivityContext, progress: &Progress) -> Infallible {
    heartbeat::record_every(ctx, INTERVAL, || TransferHeartbeat::new(progress)).await
}

/// Heartbeats once.
pub(super) async fn record(ctx: &ActivityContext, progress: &Progress) {
    heartbeat::record(ctx, TransferHeartbeat::new(progress)).await;
}

impl TransferHeartbeat {
    fn new(progress: &Progress) -> Self {
        let state = progress.state();
        let number = |bytes: u64| i64::try_from(bytes).unwrap_or(i64::MAX);
        Self {
            progress: ArchiveProgress {
                object: state.kind.map_or("", ObjectKind::name).to_owned(),
                bytes_done: number(state.bytes_done),
                bytes_total: state.bytes_total.map_or(0, number),
            },
            state,
        }
    }
}
