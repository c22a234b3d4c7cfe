//! Slots for the parts that a store receives at once. The store's answers determine their number, and the most urgent
//! part is sent first.

use std::{collections::HashMap, future::Future, pin::pin, sync::Arc, time::Duration};

use parking_lot::Mutex;
use tokio::time::timeout;

use super::concurrency::{Concurrency, Epoch};
use crate::permits::{Permit, Permits, Urgency};

/// How long a request may occupy a slot. A request that hangs must not hold up those of other transfers.
const MAX_OCCUPANCY: Duration = Duration::from_secs(60);

/// The slots of stores, by bucket. Clones share them.
#[derive(Clone, Debug, Default)]
pub(super) struct SlotsByBucket(Arc<Mutex<HashMap<String, PartSlots>>>);

/// The slots of a store. Clones share them.
#[derive(Clone, Debug)]
pub(super) struct PartSlots {
    permits: Permits,
    concurrency: Arc<Mutex<Concurrency>>,
}

/// A slot, in which a part may be sent.
#[derive(Debug)]
pub(super) struct PartSlot {
    slots: PartSlots,
    epoch: Epoch,
    /// `None` if the slot was occupied for too long.
    permit: Option<Permit>,
}

impl SlotsByBucket {
    /// Returns the slots of a bucket.
    pub(super) fn of(&self, bucket: String) -> PartSlots {
        self.0.lock().entry(bucket).or_default().clone()
    }
}

impl Default for PartSlots {
    fn default() -> Self {
        let concurrency = Concurrency::default();
        Self {
            permits: Permits::new(concurrency.limit()),
            concurrency: Arc::new(Mutex::new(concurrency)),
        }
    }
}

impl PartSlots {
    /// Waits for a slot.
    pub(super) async fn acquire(&self, urgency: Urgency) -> PartSlot {
        let permit = self.permits.acquire(urgency).await;
        PartSlot {
            slots: self.clone(),
            epoch: self.concurrency.lock().epoch(),
            permit: Some(permit),
        }
    }

    fn update(&self, update: impl FnOnce(&mut Concurrency)) {
        let mut concurrency = self.concurrency.lock();
        update(&mut concurrency);
        self.permits.resize(concurrency.limit());
    }
}

impl PartSlot {
    /// Waits for the answer to a request. Gives up the slot if that takes too long.
    pub(super) async fn answer<T>(&mut self, request: impl Future<Output = T>) -> T {
        let mut request = pin!(request);
        match timeout(MAX_OCCUPANCY, &mut request).await {
            Ok(answer) => answer,
            Err(_) => {
                self.permit = None;
                request.await
            }
        }
    }

    /// Notes that the store has the part.
    pub(super) fn stored(self) {
        let are_awaited = self.slots.permits.are_awaited();
        self.slots
            .update(|concurrency| concurrency.stored(self.epoch, are_awaited));
    }

    /// Notes that the store refused the part because it is busy.
    pub(super) fn refused(self) {
        let at_once = self.slots.permits.taken();
        self.slots
            .update(|concurrency| concurrency.refused(self.epoch, at_once));
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use futures::FutureExt;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_request_that_hangs_gives_up_its_slot() {
        let slots = PartSlots::default();
        let urgency = Urgency::of_deadline(0);
        slots.acquire(urgency).await.refused();
        let mut slot = slots.acquire(urgency).await;
        assert!(slots.acquire(urgency).now_or_never().is_none());
        let hangs = slot.answer(pending::<()>());
        tokio::select! {
            () = hangs => {}
            _ = slots.acquire(urgency) => {}
        }
    }
}
