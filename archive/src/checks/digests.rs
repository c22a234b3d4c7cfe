//! Computes the digests of a stream in one pass. Another process can continue from a saved state.

use crc_fast::CrcAlgorithm::{Crc32Iscsi, Crc32IsoHdlc, Crc64Nvme, Crc64Xz};
use md5::Md5;
use serde::{Deserialize, Serialize};
use sha2::{
    Digest, Sha256,
    digest::common::hazmat::{SerializableState, SerializedState},
};

use super::DeclaredObject;

/// The digests of the bytes so far: SHA-256, and those that the response headers declare.
pub(crate) struct Digests {
    sha256: Sha256,
    md5: Option<Md5>,
    crc64: Option<crc_fast::Digest>,
    crc32c: Option<crc_fast::Digest>,
    crc32: Option<crc_fast::Digest>,
    crc64nvme: Option<crc_fast::Digest>,
    length: u64,
}

/// The final digests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DigestValues {
    /// SHA-256, lower-case hex.
    pub(crate) sha256: String,
    /// MD5, lower-case hex.
    pub(crate) md5: Option<String>,
    /// CRC-64/XZ.
    pub(crate) crc64: Option<u64>,
    /// CRC-32/ISCSI.
    pub(crate) crc32c: Option<u64>,
    /// CRC-32/ISO-HDLC.
    pub(crate) crc32: Option<u64>,
    /// CRC-64/NVME.
    pub(crate) crc64nvme: Option<u64>,
    /// Number of bytes.
    pub(crate) length: u64,
}

/// The state of the digests, as stored in a heartbeat. The SHA-256 and MD5 states are in hex.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(crate) struct SavedDigests {
    sha256: String,
    md5: Option<String>,
    crc64: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    crc32c: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    crc32: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    crc64nvme: Option<u64>,
    length: u64,
}

impl Digests {
    /// Starts the digests that are needed to check an object.
    pub(crate) fn new(declared: &DeclaredObject) -> Self {
        let crc =
            |declared: Option<u64>, algorithm| declared.map(|_| crc_fast::Digest::new(algorithm));
        Self {
            sha256: Sha256::new(),
            md5: declared.md5.as_ref().map(|_| Md5::new()),
            crc64: crc(declared.crc64, Crc64Xz),
            crc32c: crc(declared.crc32c, Crc32Iscsi),
            crc32: crc(declared.crc32, Crc32IsoHdlc),
            crc64nvme: crc(declared.crc64nvme, Crc64Nvme),
            length: 0,
        }
    }

    /// Processes the next bytes.
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.sha256.update(bytes);
        if let Some(md5) = &mut self.md5 {
            md5.update(bytes);
        }
        let crcs = [
            &mut self.crc64,
            &mut self.crc32c,
            &mut self.crc32,
            &mut self.crc64nvme,
        ];
        for crc in crcs.into_iter().flatten() {
            crc.update(bytes);
        }
        self.length += bytes.len() as u64;
    }

    /// Returns the number of bytes so far.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// Returns the SHA-256 of the bytes so far.
    pub(crate) fn sha256(&self) -> String {
        hex::encode(self.sha256.clone().finalize())
    }

    /// Returns the final digests.
    pub(crate) fn finish(self) -> DigestValues {
        DigestValues {
            sha256: hex::encode(self.sha256.finalize()),
            md5: self.md5.map(|md5| hex::encode(md5.finalize())),
            crc64: self.crc64.map(|crc| crc.finalize()),
            crc32c: self.crc32c.map(|crc| crc.finalize()),
            crc32: self.crc32.map(|crc| crc.finalize()),
            crc64nvme: self.crc64nvme.map(|crc| crc.finalize()),
            length: self.length,
        }
    }

    /// Returns the current state.
    pub(crate) fn save(&self) -> SavedDigests {
        SavedDigests {
            sha256: hex::encode(self.sha256.serialize()),
            md5: self.md5.as_ref().map(|md5| hex::encode(md5.serialize())),
            crc64: self.crc64.as_ref().map(crc_fast::Digest::get_state),
            crc32c: self.crc32c.as_ref().map(crc_fast::Digest::get_state),
            crc32: self.crc32.as_ref().map(crc_fast::Digest::get_state),
            crc64nvme: self.crc64nvme.as_ref().map(crc_fast::Digest::get_state),
            length: self.length,
        }
    }

    /// Restores a saved state. Returns `None` if the state is invalid or belongs to other digests.
    pub(crate) fn restore(saved: &SavedDigests, declared: &DeclaredObject) -> Option<Self> {
        let is_saved = saved.md5.is_some() == declared.md5.is_some()
            && saved.crc64.is_some() == declared.crc64.is_some()
            && saved.crc32c.is_some() == declared.crc32c.is_some()
            && saved.crc32.is_some() == declared.crc32.is_some()
            && saved.crc64nvme.is_some() == declared.crc64nvme.is_some();
        if !is_saved {
            return None;
        }
        let crc = |state: Option<u64>, algorithm| {
            state.map(|state| crc_fast::Digest::new_with_init_state(algorithm, state))
        };
        Some(Self {
            sha256: restore(&saved.sha256)?,
            md5: match &saved.md5 {
                Some(md5) => Some(restore(md5)?),
                None => None,
            },
            crc64: crc(saved.crc64, Crc64Xz),
            crc32c: crc(saved.crc32c, Crc32Iscsi),
            crc32: crc(saved.crc32, Crc32IsoHdlc),
            crc64nvme: crc(saved.crc64nvme, Crc64Nvme),
            length: saved.length,
        })
    }
}

fn restore<D: SerializableState>(state: &str) -> Option<D> {
    let state = hex::decode(state).ok()?;
    let state = SerializedState::<D>::try_from(state.as_slice()).ok()?;
    D::deserialize(&state).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The check string of the CRC catalogue, whose digests are published.
    const CHECK: &[u8] = b"123456789";

    fn all_declared() -> DeclaredObject {
        DeclaredObject {
            md5: Some(String::new()),
            crc64: Some(0),
            crc32c: Some(0),
            crc32: Some(0),
            crc64nvme: Some(0),
            ..DeclaredObject::default()
        }
    }

    fn all() -> Digests {
        Digests::new(&all_declared())
    }

    fn published() -> DigestValues {
        DigestValues {
            sha256: "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225".into(),
            md5: Some("25f9e794323b453885f5181f1b624d0b".into()),
            crc64: Some(0x995d_c9bb_df19_39fa),
            crc32c: Some(0xe306_9283),
            crc32: Some(0xcbf4_3926),
            crc64nvme: Some(0xae8b_1486_0a79_9888),
            length: 9,
        }
    }

    #[test]
    fn the_digests_do_not_depend_on_the_chunk_size() {
        for size in 1..=CHECK.len() {
            let mut digests = all();
            for chunk in CHECK.chunks(size) {
                digests.update(chunk);
                digests.update(&[]);
            }
            assert_eq!(digests.finish(), published(), "chunks of {size}");
        }
    }

    #[test]
    fn the_digests_of_an_empty_stream_are_known() {
        let values = all().finish();
        assert_eq!((values.length, values.crc64), (0, Some(0)));
        assert_eq!(
            values.md5.as_deref(),
            Some("d41d8cd98f00b204e9800998ecf8427e")
        );
        assert!(values.sha256.starts_with("e3b0c44298fc1c14"));
    }

    #[test]
    fn only_declared_digests_are_computed() {
        let values = Digests::new(&DeclaredObject::default()).finish();
        assert_eq!((values.md5, values.crc64), (None, None));
    }

    #[test]
    fn a_state_can_be_saved_and_restored_at_any_byte() {
        let bytes: Vec<u8> = (0..300_u32).map(|byte| byte as u8).collect();
        let mut uninterrupted = all();
        uninterrupted.update(&bytes);
        let expected = uninterrupted.finish();
        for cut in 0..=bytes.len() {
            let (before, after) = bytes.split_at(cut);
            let mut digests = all();
            digests.update(before);
            let json = serde_json::to_string(&digests.save()).unwrap();
            let saved = serde_json::from_str(&json).unwrap();
            let mut digests = Digests::restore(&saved, &all_declared()).unwrap();
            digests.update(after);
            assert_eq!(digests.finish(), expected, "cut at {cut}");
        }
    }

    #[test]
    fn an_invalid_state_is_not_restored() {
        let valid = all().save();
        for sha256 in [String::new(), "zz".into(), format!("{}00", valid.sha256)] {
            let saved = SavedDigests {
                sha256,
                ..valid.clone()
            };
            let restored = Digests::restore(&saved, &all_declared());
            assert!(restored.is_none(), "{saved:?}");
        }
        let without_crc64 = SavedDigests {
            crc64: None,
            ..valid
        };
        assert!(Digests::restore(&without_crc64, &all_declared()).is_none());
    }
}
