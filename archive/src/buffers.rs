//! The memory of all transfers of a process. What it bounds is bounded whatever comes: a transfer that
//! finds none left waits for its own or another's part to be stored.

use std::{
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Size of a part, and of a buffer: the least that S3 takes, so that many transfers fit in.
pub const PART_SIZE: usize = 5 * 1024 * 1024;
/// Buffers of a process: 180 MiB.
const COUNT: usize = 36;

/// Buffers that transfers share.
#[derive(Clone, Debug)]
pub struct Buffers {
    free: Arc<Semaphore>,
    spare: Spare,
    size: usize,
}

/// Memory of buffers that are free. Kept, because an allocator that is asked for so much again and again
/// takes half as much more.
type Spare = Arc<Mutex<Vec<Vec<u8>>>>;

/// The beginning of a part, or all of it. Its memory is free again once the store has it.
pub(super) struct Buffer {
    bytes: Vec<u8>,
    size: usize,
    spare: Spare,
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
            spare: Spare::default(),
            size,
        }
    }

    /// An empty buffer, once there is one.
    pub(super) async fn take(&self) -> Buffer {
        // Fails only where the semaphore is closed, which nobody does.
        let permit = self.free.clone().acquire_owned().await.ok();
        let spare = lock(&self.spare).pop();
        Buffer {
            bytes: spare.unwrap_or_else(|| Vec::with_capacity(self.size)),
            size: self.size,
            spare: self.spare.clone(),
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

impl Drop for Buffer {
    fn drop(&mut self) {
        let mut bytes = mem::take(&mut self.bytes);
        bytes.clear();
        lock(&self.spare).push(bytes);
    }
}

/// Nothing panics while it is held.
fn lock(spare: &Spare) -> MutexGuard<'_, Vec<Vec<u8>>> {
    spare.lock().unwrap_or_else(PoisonError::into_inner)
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
    async fn there_are_no_more_than_there_are_and_each_is_used_again() {
        let buffers = Buffers::new(2, 8);
        let (mut one, _two) = (buffers.take().await, buffers.take().await);
        one.extend(b"12345678");
        assert_eq!(one.room(), 0);
        let place = one.as_ref().as_ptr();
        let third = || timeout(Duration::from_millis(50), buffers.take());
        assert!(third().await.is_err(), "both are taken");
        let part = Bytes::from_owner(one);
        let sent = part.clone();
        drop(part);
        assert!(third().await.is_err(), "the store still reads it");
        drop(sent);
        let again = third().await.unwrap();
        assert_eq!((again.room(), again.as_ref().as_ptr()), (8, place));
    }
}
