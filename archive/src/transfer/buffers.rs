//! Part buffers, which bound the memory of all transfers of a process.
//!
//! Each transfer has memory for one part, so that it never waits for another one, whose host may be slow or whose store may
//! hang. The memory of some more parts is shared: with it, a transfer continues to download while the store receives its
//! parts. The most urgent transfer that waits is served first. Only an object of more than 10,000 parts of 5 MiB needs
//! shared memory for each part, and waits for it if other transfers have it.

use std::sync::{Arc, Weak};

use object_store::PutPayload;
use parking_lot::Mutex;

use super::{
    part::{Buffer, FreeBuffers, Part, PartMemory},
    part_size::part_size,
};
use crate::{
    Error,
    permits::{Permit, Permits, Urgency},
    store::MAX_PARTS,
};

/// Size of a part: the minimum that S3 allows, so that many transfers fit into memory.
pub const PART_SIZE: usize = 5 * 1024 * 1024;
/// Default number of transfers, 160 MiB in total.
const DEFAULT_TRANSFERS: usize = 32;
/// Default number of shared parts, 40 MiB in total.
const DEFAULT_SHARED_PARTS: usize = 8;

/// Part buffers of transfers. Clones share them.
#[derive(Clone, Debug)]
pub struct Buffers {
    transfers: Permits,
    shared: Permits,
    /// Number of shared buffers.
    shared_count: usize,
    /// Size of a buffer, and of a part, unless an object has too many parts of that size.
    size: usize,
    /// The free buffers of the running transfers. Gone if none runs.
    free: Arc<Mutex<Weak<FreeBuffers>>>,
}

/// The memory of one transfer, and the part that it is filling.
pub(super) struct TransferBuffers<'a> {
    all: &'a Buffers,
    urgency: Urgency,
    part_size: usize,
    /// The buffer that no other transfer can use.
    own: Permits,
    part: Option<Part>,
    transfer: Arc<Permit>,
    free: Arc<FreeBuffers>,
}

impl Default for Buffers {
    fn default() -> Self {
        Self::new(DEFAULT_TRANSFERS, DEFAULT_SHARED_PARTS, PART_SIZE)
    }
}

impl Buffers {
    /// Returns memory for a number of concurrent transfers, with a part of `part_size` bytes each, and for a number of
    /// parts that they share. Stores may reject parts smaller than [`PART_SIZE`].
    ///
    /// Objects with more than 10,000 parts of this size are uploaded in larger parts, which take as much of the shared
    /// memory as they need.
    pub fn new(transfers: usize, shared_parts: usize, part_size: usize) -> Self {
        Self {
            transfers: Permits::new(transfers),
            shared: Permits::new(shared_parts),
            shared_count: shared_parts,
            size: part_size,
            free: Arc::default(),
        }
    }

    /// Returns the free buffers of the running transfers.
    fn free(&self) -> Arc<FreeBuffers> {
        let mut shared = self.free.lock();
        shared.upgrade().unwrap_or_else(|| {
            let free = Arc::<FreeBuffers>::default();
            *shared = Arc::downgrade(&free);
            free
        })
    }

    /// Waits until a transfer may start.
    pub(super) async fn start(&self, urgency: Urgency) -> TransferBuffers<'_> {
        TransferBuffers {
            all: self,
            urgency,
            part_size: self.size,
            own: Permits::new(1),
            part: None,
            transfer: Arc::new(self.transfers.acquire(urgency).await),
            free: self.free(),
        }
    }
}

impl TransferBuffers<'_> {
    /// Sets the size of the following parts to that for an object of a length.
    ///
    /// # Errors
    ///
    /// Returns an error if there is not enough memory for a part.
    pub(super) fn set_length(&mut self, length: Option<u64>) -> Result<(), Error> {
        let size = part_size(length, self.all.size as u64);
        if self.set_part_size(size) {
            return Ok(());
        }
        let length = length.unwrap_or_default();
        Err(Error::Upload(format!(
            "object of {length} bytes needs parts of {size} bytes (limit: {MAX_PARTS} parts), but a transfer has \
             buffers for {}; fix: more shared parts in `Buffers::new`",
            self.max_part_size()
        )))
    }

    /// Sets the size of the following parts. Returns `false` if there is not enough memory for one.
    pub(super) fn set_part_size(&mut self, size: u64) -> bool {
        let size = usize::try_from(size).ok();
        match size.filter(|size| (1..=self.max_part_size()).contains(size)) {
            Some(size) => {
                self.part_size = size;
                true
            }
            None => false,
        }
    }

    /// Returns the size of the own buffer and all shared ones.
    fn max_part_size(&self) -> usize {
        self.all.size.saturating_mul(self.all.shared_count + 1)
    }

    pub(super) fn urgency(&self) -> Urgency {
        self.urgency
    }

    /// Returns the size of a part.
    pub(super) fn part_size(&self) -> u64 {
        self.part_size as u64
    }

    /// Waits until there is memory for the next part, unless there is a part.
    pub(super) async fn reserve(&mut self) {
        if self.part.is_none() {
            let memory = self.memory().await;
            let free = self.free.clone();
            self.part = Some(Part::new(self.part_size, self.all.size, free, memory));
        }
    }

    /// Waits for the buffers of a part: the own one and shared ones, or only shared ones.
    async fn memory(&self) -> PartMemory {
        let buffers = self.part_size.div_ceil(self.all.size);
        let fits_into_shared = buffers <= self.all.shared_count;
        let permits = tokio::select! {
            biased;
            own = self.own_and_shared(buffers - 1) => own,
            shared = self.shared(buffers), if fits_into_shared => vec![shared],
        };
        PartMemory {
            _buffers: permits,
            _transfer: self.transfer.clone(),
        }
    }

    async fn own_and_shared(&self, shared: usize) -> Vec<Permit> {
        let own = self.own.acquire(self.urgency).await;
        match shared {
            0 => vec![own],
            shared => vec![own, self.shared(shared).await],
        }
    }

    async fn shared(&self, buffers: usize) -> Permit {
        self.all.shared.acquire_many(self.urgency, buffers).await
    }

    /// Appends as many bytes as fit into one buffer of the reserved part, and returns their number.
    pub(super) fn fill(&mut self, bytes: &[u8]) -> usize {
        self.part.as_mut().map_or(0, |part| part.fill(bytes))
    }

    pub(super) fn is_full(&self) -> bool {
        self.part.as_ref().is_some_and(Part::is_full)
    }

    /// Returns the bytes of the part.
    pub(super) fn part(&self) -> &[Buffer] {
        self.part.as_ref().map_or(&[], Part::buffers)
    }

    /// Takes the part. Its memory is freed when the last clone is dropped.
    pub(super) fn take(&mut self) -> PutPayload {
        self.part.take().map(Part::into_payload).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests;
