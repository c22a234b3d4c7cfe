//! Compares the beginning of a body with the bytes that were received before.

use std::collections::VecDeque;

use bytes::{Buf, Bytes};
use sha2::{Digest, Sha256};

/// The comparison of the beginning of a body, in chunks of any size.
#[derive(Debug)]
pub(super) struct Comparison {
    segments: VecDeque<Segment>,
}

/// Consecutive bytes of a body.
#[derive(Debug)]
pub(super) enum Segment {
    /// Bytes that are not compared.
    Skip(u64),
    /// Bytes of which the SHA-256 is known.
    Digest {
        left: u64,
        hasher: Sha256,
        expected: String,
    },
    /// Known bytes.
    Bytes(Bytes),
    /// The bytes of the part that is being filled, after the first `compared` ones.
    Part { compared: usize, left: u64 },
}

/// The result of a comparison so far.
#[derive(Debug, PartialEq)]
pub(super) enum Compared {
    /// More bytes are needed.
    Pending,
    /// The bytes are the same. The rest of the chunk follows them.
    Equal(Bytes),
    Different,
}

impl Segment {
    /// Returns the segment of `length` bytes with this SHA-256 in lower-case hex.
    pub(super) fn digest(length: u64, sha256: &str) -> Self {
        Self::Digest {
            left: length,
            hasher: Sha256::new(),
            expected: sha256.to_owned(),
        }
    }

    /// Returns the segment of the first `length` bytes of the part that is being filled.
    pub(super) fn part(length: u64) -> Self {
        Self::Part {
            compared: 0,
            left: length,
        }
    }

    fn len(&self) -> u64 {
        match self {
            Self::Skip(left) | Self::Digest { left, .. } | Self::Part { left, .. } => *left,
            Self::Bytes(bytes) => bytes.len() as u64,
        }
    }

    /// Processes bytes of this segment. Returns whether they are the same so far.
    fn update(&mut self, bytes: &[u8], part: &[impl AsRef<[u8]>]) -> bool {
        match self {
            Self::Skip(left) => {
                *left -= bytes.len() as u64;
                true
            }
            Self::Digest {
                left,
                hasher,
                expected,
            } => {
                hasher.update(bytes);
                *left -= bytes.len() as u64;
                *left > 0 || hex::encode(hasher.clone().finalize()) == *expected
            }
            Self::Bytes(known) => {
                let is_same = known.starts_with(bytes);
                known.advance(bytes.len());
                is_same
            }
            Self::Part { compared, left } => {
                let is_same = are_at(part, *compared, bytes);
                *compared += bytes.len();
                *left -= bytes.len() as u64;
                is_same
            }
        }
    }
}

impl Comparison {
    pub(super) fn new(segments: Vec<Segment>) -> Self {
        let mut segments = VecDeque::from(segments);
        segments.retain(|segment| segment.len() > 0);
        Self { segments }
    }

    /// Returns whether not all bytes are skipped.
    pub(super) fn compares_anything(&self) -> bool {
        let is_compared = |segment: &Segment| !matches!(segment, Segment::Skip(_));
        self.segments.iter().any(is_compared)
    }

    /// Processes the next bytes of the body. `part`: the part that is being filled, which does not change during the
    /// comparison.
    pub(super) fn update(&mut self, mut bytes: Bytes, part: &[impl AsRef<[u8]>]) -> Compared {
        while let Some(segment) = self.segments.front_mut() {
            if bytes.is_empty() {
                return Compared::Pending;
            }
            let length = usize::try_from(segment.len()).unwrap_or(usize::MAX);
            let next = bytes.split_to(length.min(bytes.len()));
            if !segment.update(&next, part) {
                return Compared::Different;
            }
            if segment.len() == 0 {
                self.segments.pop_front();
            }
        }
        Compared::Equal(bytes)
    }
}

/// Returns whether consecutive buffers have these bytes at a position.
fn are_at(buffers: &[impl AsRef<[u8]>], mut position: usize, mut bytes: &[u8]) -> bool {
    for buffer in buffers {
        let buffer = buffer.as_ref();
        let known = buffer.get(position..).unwrap_or_default();
        position = position.saturating_sub(buffer.len());
        let (next, rest) = bytes.split_at(bytes.len().min(known.len()));
        if !known.starts_with(next) {
            return false;
        }
        bytes = rest;
    }
    bytes.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_compared_with_the_part_across_its_buffers() {
        let part = ["0123", "4567", "89"];
        for chunk in 1..=10 {
            let mut comparison = Comparison::new(vec![Segment::part(10)]);
            let mut compared = Compared::Pending;
            for bytes in b"0123456789".chunks(chunk) {
                compared = comparison.update(Bytes::copy_from_slice(bytes), &part);
            }
            assert_eq!(compared, Compared::Equal(Bytes::new()), "{chunk}");
        }
        for wrong in 0..10 {
            let mut bytes = b"0123456789".to_vec();
            bytes[wrong] ^= 1;
            let mut comparison = Comparison::new(vec![Segment::part(10)]);
            let compared = comparison.update(bytes.into(), &part);
            assert_eq!(compared, Compared::Different, "{wrong}");
        }
    }

    #[test]
    fn a_part_that_is_too_short_is_different() {
        let mut comparison = Comparison::new(vec![Segment::part(3)]);
        let compared = comparison.update(Bytes::from_static(b"012"), &["01"]);
        assert_eq!(compared, Compared::Different);
    }
}
