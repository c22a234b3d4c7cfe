//! Compares the digests with the values that the response headers declare.

use seedance_archiver_proto::v1::ObjectCheck;

use super::{
    DeclaredObject,
    checked_object::{passed, warning},
    digests::DigestValues,
};
use crate::Error;

/// Checks length, CRC-64 and MD5, if the response headers declare them.
///
/// A mismatch of the MD5 is only a warning if the ETag cannot be an MD5: the CRC-64 matches, or the same bytes
/// arrived before.
pub(super) fn check_integrity(
    digests: &DigestValues,
    declared: &DeclaredObject,
    rejected_md5: Option<&str>,
) -> Result<Vec<ObjectCheck>, Error> {
    let length = declared.length.map(|length| length.to_string());
    let crc64 = declared.crc64.map(|crc64| crc64.to_string());
    // If the CRC-64 does not match, the loop returns an error before it compares the MD5.
    let is_etag_not_md5 = crc64.is_some() || rejected_md5 == digests.md5.as_deref();
    let values = [
        ("length", length, Some(digests.length.to_string())),
        ("crc64", crc64, digests.crc64.map(|it| it.to_string())),
        ("md5", declared.md5.clone(), digests.md5.clone()),
    ];
    let mut checks = Vec::new();
    for (name, declared, found) in values {
        let (Some(declared), Some(found)) = (declared, found) else {
            continue;
        };
        if declared == found {
            checks.push(passed(name, declared, found));
        } else if name == "md5" && is_etag_not_md5 {
            checks.push(warning(name, declared, found));
        } else if name == "md5" {
            return Err(Error::Md5Mismatch { found, declared });
        } else {
            return Err(Error::Corrupt(format!(
                "{name} is {found}, but the response headers declare {declared}"
            )));
        }
    }
    Ok(checks)
}
