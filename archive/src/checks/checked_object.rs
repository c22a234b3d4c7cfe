//! The result of the checks of an object.

use seedance_archiver_proto::v1::ObjectCheck;

use crate::Format;

/// An object whose bytes passed all checks.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct CheckedObject {
    /// Format, detected by the first bytes.
    pub(crate) format: Format,
    /// Size in bytes.
    pub(crate) size: u64,
    /// SHA-256 in lower-case hex.
    pub(crate) sha256: String,
    /// The checks made, with their results.
    pub(crate) checks: Vec<ObjectCheck>,
}

/// Returns the receipt's entry of a check that passed.
pub(super) fn passed(name: &str, expected: String, found: String) -> ObjectCheck {
    check("passed", name, expected, found)
}

/// Returns the receipt's entry of a check that failed, on an object that is archived all the same.
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
