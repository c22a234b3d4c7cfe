//! What a verification finds.

use object_store::path::Path;
use serde::Serialize;

/// A difference between a receipt and the archive.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Finding {
    /// Key of the receipt.
    pub receipt: String,
    /// File name of the object, `manifest.json` if the receipt is unreadable, or `erased.json` if a tombstone is beside it.
    pub object: String,
    /// The kind of the difference.
    pub kind: FindingKind,
    /// The difference, as text that completes "`object` …".
    pub problem: String,
}

/// The kind of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, strum::IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum FindingKind {
    /// The object, or a receipt that the store lists, does not exist.
    Missing,
    /// The object has another size than its receipt says.
    WrongSize,
    /// The bytes of the object have another SHA-256 than its receipt says.
    WrongDigest,
    /// The object or the receipt cannot be read.
    Unreadable,
    /// The receipt is no receipt.
    InvalidReceipt,
    /// The object is in an archive tier of the store, from which it cannot be read.
    InArchiveTier,
    /// There is a tombstone beside the receipt: an erasure was interrupted.
    Tombstone,
    /// Not all receipts could be listed.
    IncompleteList,
}

/// The result of verifying one receipt.
#[derive(Clone, Debug, PartialEq)]
pub struct Verified {
    /// Key of the receipt.
    pub key: Path,
    /// Number of objects in the receipt.
    pub objects: usize,
    /// Number of bytes that were read of the objects without findings.
    pub bytes: u64,
    /// The differences. Empty if the receipt is valid, or was deleted.
    pub findings: Vec<Finding>,
}

impl Verified {
    /// Returns whether the receipt does not exist, so that nothing was verified: it was deleted after it was listed. A valid
    /// one names an object.
    pub fn is_deleted(&self) -> bool {
        self.objects == 0 && self.findings.is_empty()
    }
}
