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

    fn len(&self) -> u64 {
        match self {
            Self::Skip(left) | Self::Digest { left, .. } => *left,
            Self::Bytes(bytes) => bytes.len() as u64,
        }
    }

    /// Processes bytes of this segment. Returns whether they are the same so far.
    fn update(&mut self, bytes: &[u8]) -> bool {
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

    /// Processes the next bytes of the body.
    pub(super) fn update(&mut self, mut bytes: Bytes) -> Compared {
        while let Some(segment) = self.segments.front_mut() {
            if bytes.is_empty() {
                return Compared::Pending;
            }
            let length = usize::try_from(segment.len()).unwrap_or(usize::MAX);
            let part = bytes.split_to(length.min(bytes.len()));
            if !segment.update(&part) {
                return Compared::Different;
            }
            if segment.len() == 0 {
                self.segments.pop_front();
            }
        }
        Compared::Equal(bytes)
    }
}
