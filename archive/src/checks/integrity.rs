//! Compares the digests of the bytes with what the host has announced.

use seedance_archiver_proto::v1::ObjectCheck;

use super::{
    AnnouncedObject,
    checked_object::{passed, warning},
    digests::DigestValues,
};
use crate::Error;

/// Checks length, CRC-64 and MD5, as far as the host has announced them.
///
/// A wrong MD5 is only a warning if the ETag cannot be an MD5: the CRC-64 is right, or the same bytes arrived
/// before.
pub(super) fn check_integrity(
    digests: &DigestValues,
    announced: &AnnouncedObject,
    rejected_md5: Option<&str>,
) -> Result<Vec<ObjectCheck>, Error> {
    let length = announced.length.map(|length| length.to_string());
    let crc64 = announced.crc64.map(|crc64| crc64.to_string());
    // A wrong CRC-64 is an error before the MD5 is compared.
    let is_etag_not_md5 = crc64.is_some() || rejected_md5 == digests.md5.as_deref();
    let values = [
        ("length", length, Some(digests.length.to_string())),
        ("crc64", crc64, digests.crc64.map(|it| it.to_string())),
        ("md5", announced.md5.clone(), digests.md5.clone()),
    ];
    let mut checks = Vec::new();
    for (name, announced, found) in values {
        let (Some(announced), Some(found)) = (announced, found) else {
            continue;
        };
        if announced == found {
            checks.push(passed(name, announced, found));
        } else if name == "md5" && is_etag_not_md5 {
            checks.push(warning(name, announced, found));
        } else if name == "md5" {
            return Err(Error::Md5Mismatch { found, announced });
        } else {
            return Err(Error::Corrupt(format!(
                "{name} is {found}, but the host announced {announced}"
            )));
        }
    }
    Ok(checks)
}
