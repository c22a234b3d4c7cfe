//! Sends a part until the store has it.

use std::{sync::Arc, time::Duration};

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use object_store::{
    PutPayload,
    multipart::{MultipartStore, PartId},
    path::Path,
};

use super::{error::quoted, part_requests::is_busy, part_slots::PartSlots, store_span};
use crate::permits::Urgency;

/// Delay before a part is sent again. It doubles each time, to at most [`MAX_DELAY`].
const MIN_DELAY: Duration = Duration::from_millis(200);
const MAX_DELAY: Duration = Duration::from_secs(15);
/// How often a part is sent again, as by `object_store`: for about two minutes.
const MAX_RETRIES: usize = 10;

/// A part, and where it is sent.
pub(super) struct PartRequest {
    pub(super) store: Arc<dyn MultipartStore>,
    pub(super) key: Path,
    pub(super) upload_id: String,
    pub(super) index: usize,
    pub(super) part: PutPayload,
    pub(super) urgency: Urgency,
}

/// Sends a part, as soon as there is a slot, until the store has it. While the store is busy, it receives fewer parts at
/// once.
pub(super) async fn put_part(
    request: PartRequest,
    slots: PartSlots,
) -> object_store::Result<PartId> {
    let mut delays = delays();
    loop {
        let mut slot = slots.acquire(request.urgency).await;
        let error = match slot.answer(request.send()).await {
            Ok(id) => {
                slot.stored();
                return Ok(id);
            }
            Err(error) if is_busy(&error) => error,
            Err(error) => return Err(error),
        };
        slot.refused();
        let Some(delay) = delays.next() else {
            return Err(error);
        };
        tracing::info!(
            error = quoted(&error),
            key = %request.key,
            "the store is busy; sending the part again"
        );
        tokio::time::sleep(delay).await;
    }
}

impl PartRequest {
    async fn send(&self) -> object_store::Result<PartId> {
        let part = self.part.clone();
        let put = self
            .store
            .put_part(&self.key, &self.upload_id, self.index, part);
        store_span("store put part", &self.key, put).await
    }
}

fn delays() -> ExponentialBackoff {
    ExponentialBuilder::default()
        .with_min_delay(MIN_DELAY)
        .with_max_delay(MAX_DELAY)
        .with_max_times(MAX_RETRIES)
        .with_jitter()
        .build()
}

#[cfg(test)]
mod tests;
