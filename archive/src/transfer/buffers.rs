//! Part buffers, which bound the memory of all transfers of a process.
//!
//! Each transfer has memory for one part, so that it never waits for another one, whose host may be slow or whose store may
//! hang. The memory of some more parts is shared: with it, a transfer continues to download while the store receives its
//! parts. The most urgent transfer that waits is served first.

use std::sync::Arc;

use bytes::Bytes;
use object_store::PutPayload;
use parking_lot::Mutex;

use crate::permits::{Permit, Permits, Urgency};

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
    shared_parts: Permits,
    part_size: usize,
    free: FreeList,
}

/// The memory of free buffers. It is reused, because releasing and allocating it repeatedly increases the process's
/// memory by half.
type FreeList = Arc<Mutex<Vec<Vec<u8>>>>;

/// The memory of one transfer, and the part that it is filling.
pub(super) struct TransferBuffers<'a> {
    all: &'a Buffers,
    urgency: Urgency,
    /// The part that no other transfer can use.
    own_part: Permits,
    part: Option<Buffer>,
    transfer: Arc<Permit>,
}

/// A part that is being filled or sent. Dropping it frees the memory for another part.
struct Buffer {
    bytes: Vec<u8>,
    free: FreeList,
    _part: Permit,
    /// Another transfer starts when the memory of this one is free.
    _transfer: Arc<Permit>,
}

impl Default for Buffers {
    fn default() -> Self {
        Self::new(DEFAULT_TRANSFERS, DEFAULT_SHARED_PARTS, PART_SIZE)
    }
}

impl Buffers {
    /// Returns memory for a number of concurrent transfers, with a part of `part_size` bytes each, and for a number of
    /// parts that they share. Stores may reject parts smaller than [`PART_SIZE`].
    pub fn new(transfers: usize, shared_parts: usize, part_size: usize) -> Self {
        Self {
            transfers: Permits::new(transfers),
            shared_parts: Permits::new(shared_parts),
            part_size,
            free: FreeList::default(),
        }
    }

    /// Waits until a transfer may start.
    pub(super) async fn start(&self, urgency: Urgency) -> TransferBuffers<'_> {
        TransferBuffers {
            all: self,
            urgency,
            own_part: Permits::new(1),
            part: None,
            transfer: Arc::new(self.transfers.acquire(urgency).await),
        }
    }
}

impl TransferBuffers<'_> {
    pub(super) fn urgency(&self) -> Urgency {
        self.urgency
    }

    /// Waits until there is memory for the next part, unless there is a part.
    pub(super) async fn reserve(&mut self) {
        if self.part.is_none() {
            self.part = Some(self.buffer().await);
        }
    }

    async fn buffer(&self) -> Buffer {
        let permit = tokio::select! {
            biased;
            own = self.own_part.acquire(self.urgency) => own,
            shared = self.all.shared_parts.acquire(self.urgency) => shared,
        };
        let bytes = self.all.free.lock().pop();
        Buffer {
            bytes: bytes.unwrap_or_else(|| Vec::with_capacity(self.all.part_size)),
            free: self.all.free.clone(),
            _part: permit,
            _transfer: self.transfer.clone(),
        }
    }

    /// Appends as many bytes as fit into the reserved part, and returns their number.
    pub(super) fn fill(&mut self, bytes: &[u8]) -> usize {
        let fitting = bytes.len().min(self.all.part_size - self.part().len());
        self.part.as_mut().map_or(0, |part| {
            part.bytes.extend_from_slice(&bytes[..fitting]);
            fitting
        })
    }

    pub(super) fn is_full(&self) -> bool {
        self.part().len() == self.all.part_size
    }

    /// Returns the bytes of the part.
    pub(super) fn part(&self) -> &[u8] {
        self.part.as_ref().map_or(&[], |part| &part.bytes)
    }

    /// Takes the part. Its memory is freed when the last clone is dropped.
    pub(super) fn take(&mut self) -> PutPayload {
        self.part
            .take()
            .map(Bytes::from_owner)
            .into_iter()
            .collect()
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let mut bytes = std::mem::take(&mut self.bytes);
        bytes.clear();
        self.free.lock().push(bytes);
    }
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    async fn start(buffers: &Buffers) -> TransferBuffers<'_> {
        buffers.start(Urgency::of_deadline(0)).await
    }

    /// Fills a part, and takes it as if to send it. Returns `None` if there is no memory.
    async fn fill(transfer: &mut TransferBuffers<'_>) -> Option<PutPayload> {
        transfer.reserve().now_or_never()?;
        assert_eq!(transfer.fill(b"12345678..."), 8);
        assert!(transfer.is_full());
        Some(transfer.take())
    }

    #[tokio::test]
    async fn memory_is_limited_and_reused() {
        let buffers = Buffers::new(1, 0, 8);
        let mut transfer = start(&buffers).await;
        let part = fill(&mut transfer).await.unwrap();
        assert_eq!(transfer.part(), b"");
        let address = part.iter().next().map(|bytes| bytes.as_ptr());
        let sent = part.clone();
        drop(part);
        assert!(fill(&mut transfer).await.is_none(), "the store reads it");
        drop(sent);
        let part = fill(&mut transfer).await.unwrap();
        assert_eq!(part.iter().next().map(|bytes| bytes.as_ptr()), address);
        drop(transfer);
        let is_waiting = start(&buffers).now_or_never().is_none();
        assert!(is_waiting, "the last part is being published");
        drop(part);
        assert!(start(&buffers).now_or_never().is_some());
    }

    #[tokio::test]
    async fn a_store_that_hangs_stops_no_other_transfer() {
        let buffers = Buffers::new(3, 2, 8);
        let mut hangs = start(&buffers).await;
        let mut sent = Vec::new();
        while let Some(part) = fill(&mut hangs).await {
            sent.push(part);
        }
        assert_eq!(sent.len(), 3, "its own and the shared ones");
        let (mut one, mut other) = (start(&buffers).await, start(&buffers).await);
        for transfer in [&mut one, &mut other] {
            let part = fill(transfer).await;
            assert!(part.is_some());
            assert!(fill(transfer).await.is_none(), "no part is left to share");
        }
        drop(sent);
        let parts = [fill(&mut one).await, fill(&mut one).await];
        assert!(parts.iter().all(Option::is_some));
    }
}
