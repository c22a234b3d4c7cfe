//! What a host says of an object.

use reqwest::header::{ETAG, HeaderMap};
use serde::{Deserialize, Serialize};

/// CRC-64/XZ of the object, in decimal, as TOS tells it.
pub(super) const CRC64: &str = "x-tos-hash-crc64ecma";

/// What is known of an object before its bytes came. What was not said is not compared.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct Announced {
    /// Bytes.
    pub length: Option<u64>,
    /// CRC-64/XZ.
    pub crc64: Option<u64>,
    /// MD5, lower-case hex: an ETag that looks like one.
    pub md5: Option<String>,
}

impl Announced {
    /// By the headers of an answer with an object of this length.
    pub fn by(length: Option<u64>, headers: &HeaderMap) -> Self {
        let header = |name: &str| headers.get(name)?.to_str().ok();
        Self {
            length,
            crc64: header(CRC64).and_then(|crc64| crc64.trim().parse().ok()),
            md5: header(ETAG.as_str()).and_then(md5_of),
        }
    }
}

/// The MD5 that an ETag is, where the object was not uploaded in parts.
fn md5_of(etag: &str) -> Option<String> {
    let etag = etag.strip_prefix('"')?.strip_suffix('"')?.to_lowercase();
    let is_md5 = etag.len() == 32 && etag.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_md5.then_some(etag)
}
