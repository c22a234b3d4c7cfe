use reqwest::header::{ETAG, HeaderMap};
use serde::{Deserialize, Serialize};

/// TOS header with the object's CRC-64/XZ, in decimal.
pub(super) const CRC64: &str = "x-tos-hash-crc64ecma";

/// The properties of an object that the response headers declare. A missing value is not checked.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub(crate) struct DeclaredObject {
    /// Size in bytes.
    pub(crate) length: Option<u64>,
    /// CRC-64/XZ.
    pub(crate) crc64: Option<u64>,
    /// MD5 in lower-case hex, from an ETag that has the form of an MD5.
    pub(crate) md5: Option<String>,
}

impl DeclaredObject {
    /// Returns the properties declared by a response with the complete object.
    pub(crate) fn from_headers(length: Option<u64>, headers: &HeaderMap) -> Self {
        let header = |name: &str| headers.get(name)?.to_str().ok();
        Self {
            length,
            crc64: header(CRC64).and_then(|crc64| crc64.trim().parse().ok()),
            md5: header(ETAG.as_str()).and_then(md5_in),
        }
    }
}

/// Returns the MD5 in an ETag, or `None` if the ETag is no MD5, as for an object that was uploaded in parts.
fn md5_in(etag: &str) -> Option<String> {
    let etag = etag.strip_prefix('"')?.strip_suffix('"')?.to_lowercase();
    let is_md5 = etag.len() == 32 && etag.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_md5.then_some(etag)
}
