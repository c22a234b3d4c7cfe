//! The last bytes that were received. They are compared with the bytes that a host sends again, so that a download can
//! continue although the host does not say whether the object is the same.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::comparison::{Comparison, Segment};

/// Number of bytes that are compared.
pub(super) const OVERLAP: usize = 64 * 1024;

/// The last bytes that were received, in memory. Before them, those before a checkpoint, of which only the digest is
/// known.
#[derive(Clone, Debug, Default)]
pub(super) struct Tail {
    checkpoint: Option<SavedTail>,
    /// At most twice [`OVERLAP`], so that few bytes are moved.
    bytes: Vec<u8>,
}

/// The bytes before a checkpoint, as stored in a heartbeat.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(super) struct SavedTail {
    length: u64,
    /// SHA-256 in lower-case hex.
    sha256: String,
}

impl Tail {
    /// Returns the tail at a checkpoint.
    pub(super) fn restore(saved: Option<SavedTail>) -> Self {
        Self {
            checkpoint: saved,
            bytes: Vec::new(),
        }
    }

    /// Returns the state to save.
    pub(super) fn save(&self) -> SavedTail {
        let bytes = self.last_bytes();
        SavedTail {
            length: bytes.len() as u64,
            sha256: hex::encode(Sha256::digest(bytes)),
        }
    }

    /// Appends bytes.
    pub(super) fn extend(&mut self, bytes: &[u8]) {
        let kept = bytes.len().saturating_sub(OVERLAP);
        let bytes = bytes.get(kept..).unwrap_or_default();
        if self.bytes.len() + bytes.len() > 2 * OVERLAP || kept > 0 {
            let missing = OVERLAP - bytes.len();
            let surplus = self.bytes.len().saturating_sub(missing);
            self.bytes.drain(..surplus);
        }
        self.bytes.extend_from_slice(bytes);
        if kept > 0 || self.bytes.len() >= OVERLAP {
            self.checkpoint = None;
        }
    }

    /// Appends the bytes of several buffers.
    pub(super) fn extend_all(&mut self, buffers: &[impl AsRef<[u8]>]) {
        for buffer in buffers {
            self.extend(buffer.as_ref());
        }
    }

    /// Returns the offset from which bytes are requested again, if `offset` bytes were received.
    pub(super) fn start(&self, offset: u64) -> u64 {
        let before = self.checkpoint.as_ref().map_or(0, |saved| saved.length);
        offset.saturating_sub(self.last_bytes().len() as u64 + before)
    }

    /// Returns the comparison of a body that starts at `start`, before `offset`. Returns `None` if the bytes there
    /// are not known.
    pub(super) fn comparison(&self, start: u64, offset: u64) -> Option<Comparison> {
        let bytes = self.last_bytes();
        let bytes_start = offset.checked_sub(bytes.len() as u64)?;
        let mut segments = Vec::new();
        let mut position = start;
        let saved = self.checkpoint.as_ref();
        if let Some(saved) = saved
            && let Some(skipped) = bytes_start
                .checked_sub(saved.length)
                .and_then(|it| it.checked_sub(start))
        {
            segments.push(Segment::Skip(skipped));
            segments.push(Segment::digest(saved.length, &saved.sha256));
            position = bytes_start;
        }
        if let Some(skipped) = bytes_start.checked_sub(position) {
            segments.push(Segment::Skip(skipped));
            position = bytes_start;
        }
        let from = usize::try_from(position - bytes_start).ok()?;
        segments.push(Segment::Bytes(Bytes::copy_from_slice(bytes.get(from..)?)));
        let comparison = Comparison::new(segments);
        comparison.compares_anything().then_some(comparison)
    }

    fn last_bytes(&self) -> &[u8] {
        let start = self.bytes.len().saturating_sub(OVERLAP);
        self.bytes.get(start..).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transfer::comparison::Compared;

    fn object(size: usize) -> Vec<u8> {
        (0..size).map(|at| (at % 251) as u8).collect()
    }

    fn tail(received: &[u8], chunk: usize) -> Tail {
        let mut tail = Tail::default();
        for chunk in received.chunks(chunk) {
            tail.extend(chunk);
        }
        tail
    }

    /// Compares a body from `start` on.
    fn compare(tail: &Tail, body: &[u8], start: usize, offset: usize) -> Option<bool> {
        let mut comparison = tail.comparison(start as u64, offset as u64)?;
        let body = Bytes::copy_from_slice(&body[start..]);
        match comparison.update(body, &[] as &[&[u8]]) {
            Compared::Equal(rest) => Some(rest.len() == object(300_000).len() - offset),
            Compared::Different => Some(false),
            Compared::Pending => panic!("the body is too short"),
        }
    }

    #[test]
    fn a_body_is_compared_with_the_bytes_before_the_offset() {
        let object = object(300_000);
        for offset in [1, 100, OVERLAP - 1, OVERLAP, 100_000, 200_000] {
            for chunk in [1, 7000, OVERLAP, 300_000] {
                let tail = tail(&object[..offset], chunk);
                let start = tail.start(offset as u64) as usize;
                assert_eq!(start, offset.saturating_sub(OVERLAP), "{offset} {chunk}");
                assert_eq!(compare(&tail, &object, start, offset), Some(true));
                assert_eq!(compare(&tail, &object, offset - 1, offset), Some(true));
                assert_eq!(compare(&tail, &object, 0, offset), Some(true));
                for wrong in [start, offset - 1] {
                    let mut other = object.clone();
                    other[wrong] ^= 1;
                    assert_eq!(compare(&tail, &other, start, offset), Some(false));
                }
            }
        }
    }

    #[test]
    fn another_process_compares_the_digest() {
        let object = object(300_000);
        for (checkpoint, offset) in [(1000, 1000), (200_000, 200_000), (200_000, 210_000)] {
            let saved = tail(&object[..checkpoint], 7000).save();
            let mut restored = Tail::restore(Some(saved));
            restored.extend(&object[checkpoint..offset]);
            let start = restored.start(offset as u64) as usize;
            assert_eq!(start, checkpoint.saturating_sub(OVERLAP));
            assert_eq!(compare(&restored, &object, start, offset), Some(true));
            assert_eq!(compare(&restored, &object, start / 2, offset), Some(true));
            let mut other = object.clone();
            other[checkpoint - 1] ^= 1;
            assert_eq!(compare(&restored, &other, start, offset), Some(false));
            // The middle of the digest cannot be compared, only what follows.
            let inside = compare(&restored, &object, checkpoint - 1, offset);
            assert_eq!(inside, (offset > checkpoint).then_some(true));
        }
    }

    #[test]
    fn without_any_bytes_nothing_can_be_compared() {
        assert!(Tail::restore(None).comparison(10, 100).is_none());
        assert_eq!(Tail::restore(None).start(100), 100);
    }

    #[test]
    fn the_memory_is_bounded() {
        let tail = tail(&object(1_000_000), 10_000);
        assert!(tail.bytes.len() <= 2 * OVERLAP);
    }
}
