//! Looks for a C2PA manifest, which says who made a video and with what, signed. C2PA 2.2 embeds it in a box `uuid` at the
//! top level. Whether it is valid is not checked: that needs the whole file and certificates.

use serde::{Deserialize, Serialize};

/// The type of C2PA's `uuid` boxes.
const BOX_TYPE: [u8; 16] = [
    0xd8, 0xfe, 0xc3, 0xd6, 0x1b, 0x0e, 0x48, 0x3c, 0x92, 0x97, 0x58, 0x28, 0x87, 0x7e, 0xc4, 0x81,
];
/// Length of the version and the flags, which follow the type.
const VERSION_LEN: usize = 4;
/// The purpose of a box without a manifest, which has only digests of parts of the file. The purpose comes last in the
/// beginning of a box.
const MERKLE: &[u8] = b"merkle\0";
const BEGINNING_LEN: usize = BOX_TYPE.len() + VERSION_LEN + MERKLE.len();

/// Examines the `uuid` boxes of a file in chunks of any size.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(super) struct C2paSearch {
    /// The first bytes of the current `uuid` box.
    beginning: Vec<u8>,
    is_found: bool,
}

impl C2paSearch {
    /// Starts with a box.
    pub(super) fn open(&mut self) {
        self.beginning.clear();
    }

    /// Adds bytes of the body of the box.
    pub(super) fn add(&mut self, part: &[u8]) {
        let missing = BEGINNING_LEN - self.beginning.len();
        self.beginning.extend(part.iter().take(missing));
        self.is_found |= self.has_manifest();
    }

    /// Returns whether a box with a manifest was found.
    pub(super) fn is_found(&self) -> bool {
        self.is_found
    }

    fn has_manifest(&self) -> bool {
        let purpose = self.beginning.get(BOX_TYPE.len() + VERSION_LEN..);
        self.beginning.starts_with(&BOX_TYPE)
            && purpose.is_some_and(|purpose| purpose.len() == MERKLE.len() && purpose != MERKLE)
    }
}
