//! Sends a part until the store has it.

use std::{sync::Arc, time::Duration};

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use object_store::{
    PutPayload,
    multipart::{MultipartStore, PartId},
    path::Path,
};
use tokio::time::Instant;

use super::{
    error::quoted,
    part_requests::{Transient, transient},
    part_slots::PartSlots,
    store_span,
};
use crate::permits::Urgency;

/// Delay before a part is sent again. It doubles each time, to at most [`MAX_DELAY`].
const MIN_DELAY: Duration = Duration::from_millis(200);
const MAX_DELAY: Duration = Duration::from_secs(15);
/// How often a part is sent again, as by `object_store`: for about two minutes if the store answers soon.
const MAX_RETRIES: usize = 10;
/// How long requests and delays may take before a part is no longer sent again. Requests may hang until they time out.
const MAX_DURATION: Duration = Duration::from_secs(3 * 60);

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
    let mut retries = Retries::new();
    loop {
        let mut slot = slots.acquire(request.urgency).await;
        let sent_at = Instant::now();
        let error = match slot.answer(request.send()).await {
            Ok(id) => {
                slot.stored();
                return Ok(id);
            }
            Err(error) => error,
        };
        match transient(&error) {
            Some(Transient::Busy) => slot.refused(),
            Some(Transient::Interrupted) => drop(slot),
            None => return Err(error),
        }
        let Some(delay) = retries.next_delay(sent_at.elapsed()) else {
            return Err(error);
        };
        tracing::info!(
            error = quoted(&error),
            key = %request.key,
            part = request.index + 1,
            retry = retries.count,
            ?delay,
            "part not stored; retrying"
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

/// Bounds how often a part is sent again, and for how long.
struct Retries {
    delays: ExponentialBackoff,
    /// Number of retries so far.
    count: usize,
    /// Duration of the requests and delays so far. Waits for a slot do not count: meanwhile the store receives other parts.
    elapsed: Duration,
}

impl Retries {
    fn new() -> Self {
        let delays = ExponentialBuilder::default()
            .with_min_delay(MIN_DELAY)
            .with_max_delay(MAX_DELAY)
            .with_max_times(MAX_RETRIES)
            .with_jitter()
            .build();
        Self {
            delays,
            count: 0,
            elapsed: Duration::ZERO,
        }
    }

    /// Returns the delay after a failed request of a duration, or `None` if the part is not sent again.
    fn next_delay(&mut self, request: Duration) -> Option<Duration> {
        self.elapsed += request;
        if self.elapsed >= MAX_DURATION {
            return None;
        }
        let delay = self.delays.next()?;
        self.count += 1;
        self.elapsed += delay;
        Some(delay)
    }
}

#[cfg(test)]
mod tests;
