//! The header of a box, read from chunks of any size.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Fault;

/// Length of a header with a 32-bit size.
const SHORT: usize = 8;
/// Length of a header with a 64-bit size.
const LONG: usize = 16;

/// The name of a box: four printable characters.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub(super) struct Kind(pub(super) [u8; 4]);

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        String::from_utf8_lossy(&self.0).fmt(f)
    }
}

/// A box: its name and the length of its body, unless that reaches to the end of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BoxHeader {
    pub(super) kind: Kind,
    pub(super) size: Option<u64>,
}

/// The bytes of a header so far.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(super) struct HeaderReader {
    bytes: [u8; LONG],
    filled: usize,
}

impl HeaderReader {
    pub(super) fn is_empty(&self) -> bool {
        self.filled == 0
    }

    /// Takes what belongs to the header from bytes at `position`: how many, and the header once it is
    /// whole.
    pub(super) fn take(
        &mut self,
        bytes: &[u8],
        position: u64,
    ) -> Result<(usize, Option<BoxHeader>), Fault> {
        let begin = position - self.filled as u64;
        let mut taken = 0;
        while self.filled < self.length() {
            let whole = self.length();
            let missing = self.bytes.get_mut(self.filled..whole).unwrap_or_default();
            let part = bytes.get(taken..).unwrap_or_default();
            let count = part.len().min(missing.len());
            if count == 0 {
                return Ok((taken, None));
            }
            missing
                .iter_mut()
                .zip(part)
                .for_each(|(to, from)| *to = *from);
            self.filled += count;
            taken += count;
        }
        Ok((taken, Some(self.header().ok_or(Fault::NotABox(begin))?)))
    }

    /// How long the header is, as far as can be told.
    fn length(&self) -> usize {
        let is_long = self.filled >= SHORT && self.bytes.starts_with(&[0, 0, 0, 1]);
        if is_long { LONG } else { SHORT }
    }

    /// A name that cannot be printed is no name: zeros after the last box would be one "to the end".
    fn header(&self) -> Option<BoxHeader> {
        let [a, b, c, d, name @ .., _, _, _, _, _, _, _, _] = self.bytes;
        let [.., e, f, g, h, i, j, k, l] = self.bytes;
        if !name.iter().all(|byte| matches!(byte, b' '..=b'~')) {
            return None;
        }
        let size = match u32::from_be_bytes([a, b, c, d]) {
            0 => None,
            1 => Some(u64::from_be_bytes([e, f, g, h, i, j, k, l]).checked_sub(LONG as u64)?),
            size => Some(u64::from(size).checked_sub(SHORT as u64)?),
        };
        Some(BoxHeader {
            kind: Kind(name),
            size,
        })
    }
}
