use seedance_archiver_proto::v1::ObjectCheck;

use crate::Format;

/// The result of the checks: an object that passed them, with or without warnings.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct CheckedObject {
    /// Format, detected from the first bytes.
    pub(crate) format: Format,
    /// Size in bytes.
    pub(crate) size: u64,
    /// SHA-256 in lower-case hex.
    pub(crate) sha256: String,
    /// The checks and their results.
    pub(crate) checks: Vec<ObjectCheck>,
    /// Whether it has a C2PA manifest. `None`: not known.
    pub(crate) has_c2pa_manifest: Option<bool>,
}

/// Returns a receipt entry for a check that passed.
pub(super) fn passed(name: &str, expected: String, found: String) -> ObjectCheck {
    check("passed", name, expected, found)
}

/// Returns a receipt entry for a check that failed, but does not prevent archiving.
pub(super) fn warning(name: &str, expected: String, found: String) -> ObjectCheck {
    check("warning", name, expected, found)
}

fn check(result: &str, name: &str, expected: String, found: String) -> ObjectCheck {
    ObjectCheck {
        name: name.to_owned(),
        result: result.to_owned(),
        expected,
        found,
    }
}
