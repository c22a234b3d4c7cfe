//! Part buffers, which bound the memory of all transfers of a process. If no buffer is free, a transfer waits
//! until a part of any transfer is stored.

use std::{mem, sync::Arc};

use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Size of a part and of a buffer: the minimum that S3 allows, so that many transfers fit into memory.
pub const PART_SIZE: usize = 5 * 1024 * 1024;
/// Default number of buffers, 180 MiB in total.
const DEFAULT_COUNT: usize = 36;

/// Part buffers that transfers share. Clones share them too.
#[derive(Clone, Debug)]
pub struct Buffers {
    permits: Arc<Semaphore>,
    free: FreeList,
    size: usize,
}

/// The memory of free buffers. It is reused, because releasing and allocating it repeatedly increases the
/// process's memory by half.
type FreeList = Arc<Mutex<Vec<Vec<u8>>>>;

/// The buffer of a part that is being filled or sent. Dropping it frees the memory for another part.
pub(super) struct Buffer {
    bytes: Vec<u8>,
    size: usize,
    free: FreeList,
    _permit: Option<OwnedSemaphorePermit>,
}

impl Default for Buffers {
    fn default() -> Self {
        Self::new(DEFAULT_COUNT, PART_SIZE)
    }
}

impl Buffers {
    /// Returns `count` buffers of `size` bytes. Stores may reject parts smaller than [`PART_SIZE`].
    pub fn new(count: usize, size: usize) -> Self {
        Self {
            permits: Arc::new(Semaphore::new(count)),
            free: FreeList::default(),
            size,
        }
    }

    /// Waits for a free buffer, and returns it empty.
    pub(super) async fn acquire(&self) -> Buffer {
        // Fails only if the semaphore is closed, which never happens.
        let permit = self.permits.clone().acquire_owned().await.ok();
        let bytes = self.free.lock().pop();
        Buffer {
            bytes: bytes.unwrap_or_else(|| Vec::with_capacity(self.size)),
            size: self.size,
            free: self.free.clone(),
            _permit: permit,
        }
    }
}

impl Buffer {
    /// Returns the number of bytes that still fit into the buffer.
    pub(super) fn remaining(&self) -> usize {
        self.size - self.bytes.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Appends bytes. Their number must not exceed [`remaining`](Self::remaining).
    pub(super) fn extend(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let mut bytes = mem::take(&mut self.bytes);
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
    use std::time::Duration;

    use bytes::Bytes;
    use tokio::time::timeout;

    use super::*;

    #[tokio::test]
    async fn buffers_are_limited_and_reused() {
        let buffers = Buffers::new(2, 8);
        let (mut one, _two) = (buffers.acquire().await, buffers.acquire().await);
        one.extend(b"12345678");
        assert_eq!(one.remaining(), 0);
        let address = one.as_ref().as_ptr();
        let third = || timeout(Duration::from_millis(50), buffers.acquire());
        assert!(third().await.is_err(), "both are in use");
        let part = Bytes::from_owner(one);
        let sent = part.clone();
        drop(part);
        assert!(third().await.is_err(), "the store still reads the part");
        drop(sent);
        let again = third().await.unwrap();
        assert_eq!((again.remaining(), again.as_ref().as_ptr()), (8, address));
    }
}
