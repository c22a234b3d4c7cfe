//! The top-level boxes of a video.

use std::{iter, ops::Range};

use super::{Source, fill::HEADER_LEN};

/// Size of the smallest box: a header with a 32-bit size.
const MIN_BOX_SIZE: u64 = 8;

impl Source {
    /// Returns the name and the byte range of each top-level box of a video, in order. They tile the video; the
    /// last one is its filling.
    pub fn boxes(&self) -> Vec<(String, Range<u64>)> {
        iter::successors(self.box_at(0), |(_, range)| self.box_at(range.end)).collect()
    }

    /// Returns the box that starts at this offset, or `None` if no complete box starts there.
    fn box_at(&self, start: u64) -> Option<(String, Range<u64>)> {
        let header: Vec<u8> = self
            .pieces(start..start.saturating_add(HEADER_LEN))
            .flatten()
            .collect();
        let number = |range: Range<usize>| {
            let bytes = header.get(range)?.iter();
            Some(bytes.fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
        };
        let size = match number(0..4)? {
            // The size is in the 64 bits after the name.
            1 => number(8..16)?,
            size => size,
        };
        let end = start.checked_add(size)?;
        let name = String::from_utf8_lossy(header.get(4..8)?).into_owned();
        (size >= MIN_BOX_SIZE && end <= self.size()).then_some((name, start..end))
    }
}
