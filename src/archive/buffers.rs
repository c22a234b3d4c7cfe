//! The memory of all transfers of a process. What it bounds is bounded whatever comes: a transfer that
//! finds none left waits for its own or another's part to be stored.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Size of a part, and of a buffer: the least that S3 takes, so that many transfers fit in.
pub const PART_SIZE: usize = 5 * 1024 * 1024;
/// Buffers of a process: 200 MiB.
const COUNT: usize = 40;

/// Buffers that transfers share.
#[derive(Clone, Debug)]
pub struct Buffers {
    free: Arc<Semaphore>,
    size: usize,
}

/// The beginning of a part, or all of it. Its memory is free again once the store has it.
pub(super) struct Buffer {
    bytes: Vec<u8>,
    size: usize,
    _permit: Option<OwnedSemaphorePermit>,
}

impl Default for Buffers {
    fn default() -> Self {
        Self::new(COUNT, PART_SIZE)
    }
}

impl Buffers {
    /// So many buffers of this size. A store may not take parts of less than [`PART_SIZE`].
    pub fn new(count: usize, size: usize) -> Self {
        Self {
            free: Arc::new(Semaphore::new(count)),
            size,
        }
    }

    /// An empty buffer, once there is one.
    pub(super) async fn take(&self) -> Buffer {
        // Fails only where the semaphore is closed, which nobody does.
        let permit = self.free.clone().acquire_owned().await.ok();
        Buffer {
            bytes: Vec::with_capacity(self.size),
            size: self.size,
            _permit: permit,
        }
    }
}

impl Buffer {
    /// How many bytes fit in.
    pub(super) fn room(&self) -> usize {
        self.size - self.bytes.len()
    }

    /// Takes as many bytes as there is room for.
    pub(super) fn extend(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}
