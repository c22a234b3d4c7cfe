//! Part buffers, which bound the memory of all transfers of a process.
//!
//! A transfer needs room for one part, so that it can always continue. A part consists of blocks, which a transfer takes
//! one by one as bytes arrive: a slow one holds little more than it has received, and fast ones use the rest. If no block
//! is free, a transfer waits until a part of any transfer is stored.

use std::{mem, sync::Arc};

use bytes::Bytes;
use object_store::PutPayload;
use parking_lot::Mutex;

use super::queue::{Permit, Queue, Urgency};

/// Size of a part: the minimum that S3 allows, so that many transfers fit into memory.
pub const PART_SIZE: usize = 5 * 1024 * 1024;
const BLOCKS_PER_PART: usize = 5;
/// Default number of parts, 180 MiB in total.
const DEFAULT_PARTS: usize = 36;

/// Part buffers that transfers share. Clones share them too.
#[derive(Clone, Debug)]
pub struct Buffers {
    rooms: Queue,
    blocks: Queue,
    part_size: usize,
    free: FreeList,
}

/// The memory of free blocks. It is reused, because releasing and allocating it repeatedly increases the process's memory
/// by half.
type FreeList = Arc<Mutex<Vec<Vec<u8>>>>;

/// Room for the part that a transfer is filling.
pub(super) struct Room<'a> {
    buffers: &'a Buffers,
    urgency: Urgency,
    part: Part,
    _permit: Permit,
}

/// The blocks of a part.
#[derive(Default)]
struct Part {
    full: Vec<Bytes>,
    last: Option<Block>,
}

/// Memory that is being filled or sent. Dropping it frees it for another part.
struct Block {
    bytes: Vec<u8>,
    size: usize,
    free: FreeList,
    _permit: Permit,
}

impl Default for Buffers {
    fn default() -> Self {
        Self::new(DEFAULT_PARTS, PART_SIZE)
    }
}

impl Buffers {
    /// Returns memory for this number of parts of `part_size` bytes. As many transfers run at a time, at most. Stores may
    /// reject parts smaller than [`PART_SIZE`].
    pub fn new(parts: usize, part_size: usize) -> Self {
        Self {
            rooms: Queue::new(parts),
            blocks: Queue::new(parts * BLOCKS_PER_PART),
            part_size,
            free: FreeList::default(),
        }
    }

    /// Waits until a transfer may start. The more urgent one is served first, then and later.
    pub(super) async fn room(&self, urgency: Urgency) -> Room<'_> {
        Room {
            buffers: self,
            urgency,
            part: Part::default(),
            _permit: self.rooms.acquire(urgency).await,
        }
    }

    async fn block(&self, urgency: Urgency) -> Block {
        let permit = self.blocks.acquire(urgency).await;
        let bytes = self.free.lock().pop();
        let size = self.part_size.div_ceil(BLOCKS_PER_PART);
        Block {
            bytes: bytes.unwrap_or_else(|| Vec::with_capacity(size)),
            size,
            free: self.free.clone(),
            _permit: permit,
        }
    }
}

impl Room<'_> {
    /// Waits until the part has room for more bytes. It must not be full.
    pub(super) async fn reserve(&mut self) {
        let last = self.part.last.as_ref();
        if last.is_some_and(|block| block.remaining() > 0) {
            return;
        }
        // Before it waits, so that it may be dropped meanwhile.
        self.part.close_last();
        self.part.last = Some(self.buffers.block(self.urgency).await);
    }

    /// Appends as many bytes as are reserved, and returns their number.
    pub(super) fn fill(&mut self, bytes: &[u8]) -> usize {
        let fitting = bytes.len().min(self.remaining());
        let last = self.part.last.as_mut();
        last.map_or(0, |block| block.fill(&bytes[..fitting]))
    }

    pub(super) fn is_full(&self) -> bool {
        self.remaining() == 0
    }

    fn remaining(&self) -> usize {
        self.buffers.part_size.saturating_sub(self.len())
    }

    /// Returns the number of bytes in the part.
    pub(super) fn len(&self) -> usize {
        self.slices().map(<[u8]>::len).sum()
    }

    /// Returns the bytes of the part, block by block.
    pub(super) fn slices(&self) -> impl Iterator<Item = &[u8]> {
        let full = self.part.full.iter().map(|block| &block[..]);
        full.chain(self.part.last.as_ref().map(|block| &block.bytes[..]))
    }

    /// Takes the part, and leaves an empty one. Its memory is freed when the last clone is dropped.
    pub(super) fn take(&mut self) -> PutPayload {
        let mut part = mem::take(&mut self.part);
        part.close_last();
        part.full.into_iter().collect()
    }
}

impl Part {
    fn close_last(&mut self) {
        self.full.extend(self.last.take().map(Bytes::from_owner));
    }
}

impl Block {
    fn remaining(&self) -> usize {
        self.size - self.bytes.len()
    }

    fn fill(&mut self, bytes: &[u8]) -> usize {
        let fitting = bytes.len().min(self.remaining());
        self.bytes.extend_from_slice(&bytes[..fitting]);
        fitting
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        let mut bytes = mem::take(&mut self.bytes);
        bytes.clear();
        self.free.lock().push(bytes);
    }
}

impl AsRef<[u8]> for Block {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    /// Not a multiple of the number of blocks.
    const PART: usize = 23;

    async fn fill(room: &mut Room<'_>, length: usize) {
        let mut missing = length;
        while missing > 0 {
            room.reserve().await;
            missing -= room.fill(&vec![7; missing]);
        }
    }

    async fn room(buffers: &Buffers) -> Room<'_> {
        buffers.room(Urgency::default()).await
    }

    #[tokio::test]
    async fn memory_is_limited_and_reused() {
        let buffers = Buffers::new(1, PART);
        let mut one = room(&buffers).await;
        fill(&mut one, PART).await;
        assert!(one.is_full());
        let address = one.slices().last().map(<[u8]>::as_ptr);
        let part = one.take();
        assert_eq!((part.content_length(), one.len()), (PART, 0));
        let sent = part.clone();
        drop(part);
        let is_waiting = one.reserve().now_or_never().is_none();
        assert!(is_waiting, "the store still reads the part");
        drop(sent);
        fill(&mut one, 1).await;
        assert_eq!(one.slices().last().map(<[u8]>::as_ptr), address);
        assert!(room(&buffers).now_or_never().is_none());
    }

    #[tokio::test]
    async fn a_slow_transfer_leaves_memory_to_a_fast_one() {
        let buffers = Buffers::new(2, PART);
        let (mut slow, mut fast) = (room(&buffers).await, room(&buffers).await);
        fill(&mut slow, 1).await;
        fill(&mut fast, PART).await;
        let sent = fast.take();
        // All blocks but the one of the slow transfer.
        fill(&mut fast, PART - 3).await;
        assert!(fast.reserve().now_or_never().is_none());
        drop(sent);
        fill(&mut fast, 3).await;
        assert!(fast.is_full());
    }
}
