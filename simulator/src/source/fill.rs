//! The computed bytes of a source: the filling of a video, and garbage.

use std::ops::Range;

use bytes::Bytes;

/// Length of a box header with a 64-bit size.
pub(super) const HEADER_LEN: u64 = 16;
/// Length of a word, the unit in which filling is computed.
pub(super) const WORD_LEN: u64 = 8;
/// Maximum number of bytes computed at a time.
pub(super) const MAX_PIECE_LEN: u64 = 64 * 1024;
/// The byte that garbage consists of. It occurs in no box name.
pub(super) const GARBAGE: u8 = 0xa5;

/// A box `free` that makes a video larger. Players skip it.
#[derive(Debug)]
pub(super) struct Filling {
    /// Length of the box; 0 if there is none.
    pub(super) len: u64,
    /// Makes the videos of different tasks differ.
    pub(super) seed: u64,
}

impl Filling {
    /// Returns the beginning of a range of the box.
    pub(super) fn piece(&self, range: Range<u64>) -> Bytes {
        let end = range.end.min(range.start + MAX_PIECE_LEN);
        let len = end - range.start;
        let first = range.start / WORD_LEN;
        let mut words = Vec::with_capacity((len + 2 * WORD_LEN) as usize);
        for index in first..end.div_ceil(WORD_LEN) {
            words.extend_from_slice(&self.word(index));
        }
        let skipped = (range.start - first * WORD_LEN) as usize;
        Bytes::from(words).slice(skipped..skipped + len as usize)
    }

    /// Returns a word of the box. The header is followed by incompressible bytes.
    fn word(&self, index: u64) -> [u8; WORD_LEN as usize] {
        match index {
            0 => *b"\0\0\0\x01free",
            1 => self.len.to_be_bytes(),
            _ => mix(self.seed.wrapping_add(index)).to_be_bytes(),
        }
    }
}

/// Returns the beginning of a range of garbage, or `None` if the range is empty.
pub(super) fn garbage(range: Range<u64>, byte: u8) -> Option<Bytes> {
    let len = range.end.checked_sub(range.start)?.min(MAX_PIECE_LEN);
    (len > 0).then(|| vec![byte; len as usize].into())
}

/// Returns a pseudorandom number, computed by `SplitMix64`.
pub(crate) fn mix(index: u64) -> u64 {
    let mut bits = index.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}
