//! What a verification finds.

use object_store::path::Path;
use serde::Serialize;

/// A difference between a receipt and the archive.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Finding {
    /// Key of the receipt.
    pub receipt: String,
    /// File name of the object, or `manifest.json` if the receipt is unreadable.
    pub object: String,
    /// The difference, as text that completes "`object` …".
    pub problem: String,
}

/// The result of verifying one receipt.
#[derive(Clone, Debug, PartialEq)]
pub struct Verified {
    /// Key of the receipt.
    pub key: Path,
    /// Number of objects in the receipt.
    pub objects: usize,
    /// The differences. Empty if the receipt is valid.
    pub findings: Vec<Finding>,
}
