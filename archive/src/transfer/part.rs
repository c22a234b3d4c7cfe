//! A part of an object, in the memory of one or more buffers.

use std::sync::Arc;

use bytes::Bytes;
use object_store::PutPayload;
use parking_lot::Mutex;

use crate::permits::Permit;

/// The memory of free buffers. It is reused, because allocating it takes time, and released when the last transfer ends:
/// otherwise the memory of many concurrent transfers would stay allocated.
pub(super) type FreeBuffers = Mutex<Vec<Vec<u8>>>;

/// A part that is being filled.
pub(super) struct Part {
    buffers: Vec<Buffer>,
    buffer_size: usize,
    /// Number of bytes that are missing.
    room: usize,
    free: Arc<FreeBuffers>,
    memory: Arc<PartMemory>,
}

/// The permits for the memory of a part. Dropping them frees it for another part.
pub(super) struct PartMemory {
    /// The buffers of the part.
    pub(super) _buffers: Vec<Permit>,
    /// Another transfer starts when the memory of this one is free.
    pub(super) _transfer: Arc<Permit>,
}

/// A buffer of a part that is being filled or sent.
pub(super) struct Buffer {
    bytes: Vec<u8>,
    free: Arc<FreeBuffers>,
    _memory: Arc<PartMemory>,
}

impl Part {
    /// Returns a part of `size` bytes, in buffers of `buffer_size` bytes.
    pub(super) fn new(
        size: usize,
        buffer_size: usize,
        free: Arc<FreeBuffers>,
        memory: PartMemory,
    ) -> Self {
        Self {
            buffers: Vec::new(),
            buffer_size,
            room: size,
            free,
            memory: Arc::new(memory),
        }
    }

    /// Appends as many bytes as fit into one buffer, and returns their number.
    pub(super) fn fill(&mut self, bytes: &[u8]) -> usize {
        let buffer_size = self.buffer_size;
        let fitting = bytes.len().min(self.room);
        let buffer = self.buffer();
        let fitting = fitting.min(buffer_size - buffer.bytes.len());
        buffer.bytes.extend_from_slice(&bytes[..fitting]);
        self.room -= fitting;
        fitting
    }

    pub(super) fn is_full(&self) -> bool {
        self.room == 0
    }

    /// Returns the buffers that have bytes, in order.
    pub(super) fn buffers(&self) -> &[Buffer] {
        &self.buffers
    }

    /// Returns the bytes. The memory is freed when the last clone of them is dropped.
    pub(super) fn into_payload(self) -> PutPayload {
        self.buffers.into_iter().map(Bytes::from_owner).collect()
    }

    /// Returns the buffer that is filled next.
    fn buffer(&mut self) -> &mut Buffer {
        let is_full = |buffer: &Buffer| buffer.bytes.len() == self.buffer_size;
        if self.buffers.last().is_none_or(is_full) {
            let bytes = self.free.lock().pop();
            self.buffers.push(Buffer {
                bytes: bytes.unwrap_or_else(|| Vec::with_capacity(self.buffer_size)),
                free: self.free.clone(),
                _memory: self.memory.clone(),
            });
        }
        let last = self.buffers.len() - 1;
        &mut self.buffers[last]
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
