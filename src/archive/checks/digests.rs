//! The digests of a stream, all taken in one pass.

use md5::Md5;
use sha2::{Digest, Sha256};

/// Digests of the bytes so far.
#[derive(Default)]
pub(crate) struct Digests {
    sha256: Sha256,
    md5: Md5,
    crc64: crc64fast::Digest,
    length: u64,
}

/// Digests of all the bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DigestValues {
    /// SHA-256, lower-case hex.
    pub(crate) sha256: String,
    /// MD5, lower-case hex: the `ETag` of an object that was not uploaded in parts.
    pub(crate) md5: String,
    /// CRC-64/XZ: TOS sends it in decimal as `x-tos-hash-crc64ecma`, also of an object in parts.
    pub(crate) crc64: u64,
    /// Number of bytes.
    pub(crate) length: u64,
}

impl Digests {
    /// Takes the next bytes.
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.sha256.update(bytes);
        self.md5.update(bytes);
        self.crc64.write(bytes);
        self.length += bytes.len() as u64;
    }

    /// The digests of all that was taken.
    pub(crate) fn finish(self) -> DigestValues {
        DigestValues {
            sha256: hex::encode(self.sha256.finalize()),
            md5: hex::encode(self.md5.finalize()),
            crc64: self.crc64.sum64(),
            length: self.length,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The check string of the CRC catalogue, whose digests are published.
    const CHECK: &[u8] = b"123456789";

    fn published() -> DigestValues {
        DigestValues {
            sha256: "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225".into(),
            md5: "25f9e794323b453885f5181f1b624d0b".into(),
            crc64: 0x995d_c9bb_df19_39fa,
            length: 9,
        }
    }

    #[test]
    fn agree_with_the_published_ones_however_the_bytes_are_split() {
        for size in 1..=CHECK.len() {
            let mut digests = Digests::default();
            for chunk in CHECK.chunks(size) {
                digests.update(chunk);
                digests.update(&[]);
            }
            assert_eq!(digests.finish(), published(), "chunks of {size}");
        }
    }

    #[test]
    fn of_nothing_are_those_of_nothing() {
        let values = Digests::default().finish();
        assert_eq!((values.length, values.crc64), (0, 0));
        assert_eq!(values.md5, "d41d8cd98f00b204e9800998ecf8427e");
        assert!(values.sha256.starts_with("e3b0c44298fc1c14"));
    }
}
