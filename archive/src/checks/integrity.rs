//! Compares the digests with the values that the response headers declare.

use seedance_archiver_proto::v1::ObjectCheck;

use super::{
    DeclaredObject,
    checked_object::{passed, warning},
    digests::DigestValues,
};
use crate::Error;

/// The result of comparing an object with the response headers.
pub(super) struct Integrity {
    pub(super) checks: Vec<ObjectCheck>,
    /// Whether a declared digest matches: the host vouches for the bytes.
    pub(super) is_vouched_for: bool,
}

/// Checks the length and the digests that the response headers declare.
///
/// A mismatch of the MD5 in an ETag is only a warning if the ETag cannot be an MD5: another digest matches, which is a CRC-32
/// unless version 0.1.0 began the download, or the same bytes arrived before.
pub(super) fn check_integrity(
    digests: &DigestValues,
    declared: &DeclaredObject,
    rejected_md5: Option<&str>,
) -> Result<Integrity, Error> {
    let number = |number: Option<u64>| number.map(|number| number.to_string());
    let sha256 = declared.sha256.clone();
    let values = [
        (
            "length",
            number(declared.length),
            number(Some(digests.length)),
        ),
        ("crc64", number(declared.crc64), number(digests.crc64)),
        ("sha256", sha256, Some(digests.sha256.clone())),
        (
            "crc64nvme",
            number(declared.crc64nvme),
            number(digests.crc64nvme),
        ),
        ("crc32c", number(declared.crc32c), number(digests.crc32c)),
        ("crc32", number(declared.crc32), number(digests.crc32)),
        // Last, because a mismatch is only a warning if another digest matches.
        ("md5", declared.md5.clone(), digests.md5.clone()),
    ];
    let mut checks = Vec::new();
    let mut is_vouched_for = false;
    for (name, expected, found) in values {
        let (Some(expected), Some(found)) = (expected, found) else {
            continue;
        };
        if expected == found {
            checks.push(passed(name, expected, found));
            is_vouched_for |= name != "length";
        } else if name != "md5" || declared.is_md5_certain {
            return Err(Error::Corrupt(format!(
                "{name} is {found}, but the response headers declare {expected}"
            )));
        } else if is_vouched_for || rejected_md5 == Some(&found) {
            checks.push(warning(name, expected, found));
        } else {
            return Err(Error::Md5Mismatch {
                found,
                declared: expected,
            });
        }
    }
    Ok(Integrity {
        checks,
        is_vouched_for,
    })
}
