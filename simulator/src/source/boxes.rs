//! Where the boxes of a video are.

use std::{iter, ops::Range};

use super::{HEADER, Source};

/// Length of a box header with a 32-bit size, the shortest box.
const SHORTEST: u64 = 8;

impl Source {
    /// Name and place of each top-level box of a video, in order: they tile it. The last one is its
    /// filling.
    pub fn boxes(&self) -> Vec<(String, Range<u64>)> {
        iter::successors(self.box_at(0), |(_, place)| self.box_at(place.end)).collect()
    }

    /// `None` where no whole box begins.
    fn box_at(&self, start: u64) -> Option<(String, Range<u64>)> {
        let header: Vec<u8> = self
            .pieces(start..start.saturating_add(HEADER))
            .flatten()
            .collect();
        let number = |place: Range<usize>| {
            let bytes = header.get(place)?.iter();
            Some(bytes.fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
        };
        let size = match number(0..4)? {
            1 => number(8..16)?,
            size => size,
        };
        let end = start.checked_add(size)?;
        let name = String::from_utf8_lossy(header.get(4..8)?).into_owned();
        (size >= SHORTEST && end <= self.size()).then_some((name, start..end))
    }
}
