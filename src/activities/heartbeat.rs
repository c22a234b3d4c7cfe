//! What the heartbeats of `ArchiveVideo` carry: progress that people watch, and where another worker can
//! go on.

use std::{convert::Infallible, time::Duration};

use seedance_archiver_proto::v1::ArchiveProgress;
use serde::{Deserialize, Serialize};
use temporalio_sdk::activities::ActivityContext;

use super::beat;
use crate::archive::{ArchiveState, ObjectKind, Progress};

/// How often progress is told while bytes come in.
const INTERVAL: Duration = Duration::from_millis(500);

#[derive(Deserialize, Serialize)]
struct Heartbeat {
    #[serde(flatten)]
    progress: ArchiveProgress,
    place: ArchiveState,
}

/// Where the attempt before this one was. What cannot be read is of another version: it begins anew.
pub(super) fn recall(ctx: &ActivityContext) -> ArchiveState {
    let heartbeat: Option<Heartbeat> = ctx.heartbeat_details().deserialize().ok().flatten();
    heartbeat.map(|it| it.place).unwrap_or_default()
}

/// Tells how far it is again and again, whatever step the attempt is at.
pub(super) async fn beat_on(ctx: &ActivityContext, progress: &Progress) -> Infallible {
    beat::tell_on(ctx, INTERVAL, || Heartbeat::of(progress)).await
}

/// Tells how far it is.
pub(super) async fn beat(ctx: &ActivityContext, progress: &Progress) {
    beat::tell(ctx, Heartbeat::of(progress)).await;
}

impl Heartbeat {
    fn of(progress: &Progress) -> Self {
        let place = progress.state();
        let number = |bytes: u64| i64::try_from(bytes).unwrap_or(i64::MAX);
        Self {
            progress: ArchiveProgress {
                object: place.kind.map_or("", ObjectKind::name).to_owned(),
                bytes_done: number(place.bytes_done),
                bytes_total: place.bytes_total.map_or(0, number),
            },
            place,
        }
    }
}
