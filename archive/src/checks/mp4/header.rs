//! Reads box headers from chunks of any size.

use std::fmt;

use mp4_atom::{DecodeMaybe, Header};
use serde::{Deserialize, Serialize};

use super::Mp4Error;

/// Length of the longest header, one with a 64-bit size.
const MAX_LEN: usize = 16;

/// The name of a box: four printable characters. Used instead of `mp4_atom::FourCC`, which cannot be serialized.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub(super) struct BoxName(pub(super) [u8; 4]);

impl fmt::Display for BoxName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        String::from_utf8_lossy(&self.0).fmt(f)
    }
}

/// The header of a box.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BoxHeader {
    pub(super) name: BoxName,
    /// Size of the body. `None` if the body extends to the end of the file.
    pub(super) size: Option<u64>,
}

/// Collects the bytes of a box header.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(super) struct HeaderReader {
    bytes: [u8; MAX_LEN],
    #[serde(rename = "filled")]
    len: usize,
}

impl HeaderReader {
    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Processes bytes that start at `position`. Returns how many of them belong to the header, and the header
    /// once it is complete.
    pub(super) fn read(
        &mut self,
        bytes: &[u8],
        position: u64,
    ) -> Result<(usize, Option<BoxHeader>), Mp4Error> {
        let start = position - self.len as u64;
        for (read, byte) in (1..).zip(bytes) {
            if let Some(next) = self.bytes.get_mut(self.len) {
                *next = *byte;
                self.len += 1;
            }
            let mut header = self.bytes.get(..self.len).unwrap_or_default();
            match Header::decode_maybe(&mut header) {
                Ok(None) => {}
                Ok(Some(header)) => {
                    let header = checked(header).ok_or(Mp4Error::InvalidHeader(start))?;
                    return Ok((read, Some(header)));
                }
                Err(_) => return Err(Mp4Error::InvalidHeader(start)),
            }
        }
        Ok((bytes.len(), None))
    }
}

/// Rejects names that are not printable: zeros after the last box would otherwise be a box that extends to the
/// end of the file.
fn checked(header: Header) -> Option<BoxHeader> {
    let name: [u8; 4] = header.kind.into();
    let is_printable = name.iter().all(|byte| matches!(byte, b' '..=b'~'));
    is_printable.then_some(BoxHeader {
        name: BoxName(name),
        size: header.size.map(|size| size as u64),
    })
}
