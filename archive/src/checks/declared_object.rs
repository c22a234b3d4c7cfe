use base64::{Engine, prelude::BASE64_STANDARD};
use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE, ETAG, HeaderMap};
use serde::{Deserialize, Serialize};

/// Headers with the object's CRC-64/XZ, in decimal: TOS, OSS and COS.
const CRC64: [&str; 3] = [
    "x-tos-hash-crc64ecma",
    "x-oss-hash-crc64ecma",
    "x-cos-hash-crc64ecma",
];

/// Headers with the base64 of the object's MD5: Azure.
const OBJECT_MD5: &str = "x-ms-blob-content-md5";
/// Header with the base64 of the body's MD5.
const BODY_MD5: &str = "content-md5";
/// Headers with a list of digests of the object: Google Cloud, RFC 9530 and RFC 3230.
const OBJECT_DIGESTS: [&str; 3] = ["x-goog-hash", "repr-digest", "digest"];
/// Header with a list of digests of the body: RFC 9530.
const BODY_DIGESTS: &str = "content-digest";
/// Content encodings that compress.
const COMPRESSIONS: [&str; 7] = [
    "gzip",
    "x-gzip",
    "deflate",
    "compress",
    "x-compress",
    "br",
    "zstd",
];

/// The properties of an object that the response headers declare. A missing value is not checked.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub(crate) struct DeclaredObject {
    /// Size in bytes.
    pub(crate) length: Option<u64>,
    /// CRC-64/XZ.
    pub(crate) crc64: Option<u64>,
    /// MD5 in lower-case hex, or from an ETag that has the form of an MD5. `None` if a digest of 64 bits or more is declared:
    /// an MD5 takes longer to compute than that, and would prove nothing more about an accidental change.
    pub(crate) md5: Option<String>,
    /// Whether a header for digests declares the MD5. An ETag may be something else that looks like one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) is_md5_certain: bool,
    /// SHA-256 in lower-case hex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) sha256: Option<String>,
    /// CRC-32/ISCSI.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) crc32c: Option<u64>,
    /// CRC-32/ISO-HDLC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) crc32: Option<u64>,
    /// CRC-64/NVME.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) crc64nvme: Option<u64>,
    /// Whether the media type is that of a text that is no 3D model.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) is_text: bool,
    /// Whether the body is compressed, although no such content encoding is accepted.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) is_compressed: bool,
}

impl DeclaredObject {
    /// Returns the properties declared by a response. If the body `is_part` of the object, digests of the body
    /// are ignored. An unreadable value counts as missing.
    pub(crate) fn from_headers(length: Option<u64>, headers: &HeaderMap, is_part: bool) -> Self {
        let digests = Digests { headers, is_part };
        let crc64 = |name| digests.first(name)?.parse().ok();
        let etag = || digests.first(ETAG.as_str()).and_then(md5_in);
        let declared = Self {
            length,
            crc64: CRC64.into_iter().find_map(crc64),
            md5: None,
            is_md5_certain: false,
            sha256: digests.of_size::<32>("sha-256", "sha256").map(hex::encode),
            crc32c: digests.of_size("crc32c", "crc32c").map(number32),
            crc32: digests.of_size("crc32", "crc32").map(number32),
            crc64nvme: digests
                .of_size("crc64nvme", "crc64nvme")
                .map(u64::from_be_bytes),
            is_text: is_declared_as_text(headers),
            is_compressed: is_compressed(headers),
        };
        if declared.has_long_digest() {
            return declared;
        }
        let md5 = digests.md5();
        Self {
            is_md5_certain: md5.is_some(),
            md5: md5.or_else(etag),
            ..declared
        }
    }

    /// Returns whether a digest of 64 bits or more is declared.
    fn has_long_digest(&self) -> bool {
        self.sha256.is_some() || self.crc64.is_some() || self.crc64nvme.is_some()
    }
}

/// Returns whether a response declares its body as plain text, HTML, JSON or XML.
pub(crate) fn is_declared_as_text(headers: &HeaderMap) -> bool {
    let value = headers.get(CONTENT_TYPE).and_then(|it| it.to_str().ok());
    let media_type = value.unwrap_or_default().split(';').next();
    let media_type = media_type.unwrap_or_default().trim().to_ascii_lowercase();
    let is_text = media_type.starts_with("text/")
        || media_type.ends_with("json")
        || media_type.ends_with("xml");
    is_text && !media_type.starts_with("model/")
}

/// Returns whether a response has a content encoding that compresses. Some stores return others, such as `aws-chunked`, which
/// an uploader had set.
fn is_compressed(headers: &HeaderMap) -> bool {
    let values = headers.get_all(CONTENT_ENCODING).into_iter();
    let mut codings = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','));
    codings.any(|coding| {
        let coding = coding.trim();
        COMPRESSIONS
            .iter()
            .any(|it| coding.eq_ignore_ascii_case(it))
    })
}

fn number32(bytes: [u8; 4]) -> u64 {
    u32::from_be_bytes(bytes).into()
}

/// The digests in response headers.
struct Digests<'a> {
    headers: &'a HeaderMap,
    is_part: bool,
}

impl Digests<'_> {
    fn first(&self, name: &str) -> Option<&str> {
        Some(self.headers.get(name)?.to_str().ok()?.trim())
    }

    /// Returns an explicit MD5, which is more reliable than an ETag.
    fn md5(&self) -> Option<String> {
        let body = self.first(BODY_MD5).filter(|_| !self.is_part);
        let value = body.or_else(|| self.first(OBJECT_MD5));
        let md5 = value.and_then(decoded::<16>);
        md5.or_else(|| self.in_lists("md5")).map(hex::encode)
    }

    /// Returns a digest of `N` bytes by its name in lists, and its name at AWS. A checksum of an object that was
    /// uploaded in parts ends in `-` and their number, and is no checksum of the bytes.
    fn of_size<const N: usize>(&self, name: &str, aws: &str) -> Option<[u8; N]> {
        let aws = self.first(&format!("x-amz-checksum-{aws}"));
        aws.and_then(decoded).or_else(|| self.in_lists(name))
    }

    /// Returns a digest in a header such as `Digest: SHA-256=…, md5=…`. RFC 9530 encloses the base64 in colons.
    fn in_lists<const N: usize>(&self, name: &str) -> Option<[u8; N]> {
        let body = (!self.is_part).then_some(BODY_DIGESTS);
        let mut values = OBJECT_DIGESTS
            .into_iter()
            .chain(body)
            .flat_map(|header| self.headers.get_all(header))
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','));
        values.find_map(|item| {
            let (found, value) = item.trim().split_once('=')?;
            let value = value.trim().trim_matches(':');
            let is_named = found.trim().eq_ignore_ascii_case(name);
            is_named.then(|| decoded(value))?
        })
    }
}

fn decoded<const N: usize>(base64: &str) -> Option<[u8; N]> {
    BASE64_STANDARD.decode(base64).ok()?.try_into().ok()
}

/// Returns the MD5 in an ETag, or `None` if the ETag is no MD5, as for an object that was uploaded in parts.
fn md5_in(etag: &str) -> Option<String> {
    let etag = etag.strip_prefix('"')?.strip_suffix('"')?.to_lowercase();
    let is_md5 = etag.len() == 32 && etag.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_md5.then_some(etag)
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderName;

    use super::*;

    /// The digests of `123456789`.
    const MD5: &str = "25f9e794323b453885f5181f1b624d0b";
    const SHA256: &str = "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225";

    fn declared(headers: &[(&'static str, &str)], is_part: bool) -> DeclaredObject {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(HeaderName::from_static(name), value.parse().unwrap());
        }
        DeclaredObject::from_headers(None, &map, is_part)
    }

    #[test]
    fn digests_of_every_host_are_read() {
        let etag = || DeclaredObject {
            md5: Some(MD5.into()),
            ..DeclaredObject::default()
        };
        let md5 = || DeclaredObject {
            is_md5_certain: true,
            ..etag()
        };
        let sha256 = || DeclaredObject {
            sha256: Some(SHA256.into()),
            ..DeclaredObject::default()
        };
        let crc64 = || DeclaredObject {
            crc64: Some(5),
            ..DeclaredObject::default()
        };
        let crc32c = || DeclaredObject {
            crc32c: Some(0xe306_9283),
            ..DeclaredObject::default()
        };
        let crc32 = || DeclaredObject {
            crc32: Some(0xcbf4_3926),
            ..DeclaredObject::default()
        };
        let crc64nvme = || DeclaredObject {
            crc64nvme: Some(0xae8b_1486_0a79_9888),
            ..DeclaredObject::default()
        };
        let none = DeclaredObject::default;
        for (name, value, expected) in [
            ("x-tos-hash-crc64ecma", "5", crc64()),
            ("x-oss-hash-crc64ecma", " 5 ", crc64()),
            ("x-cos-hash-crc64ecma", "5", crc64()),
            ("x-cos-hash-crc64ecma", "-5", none()),
            ("etag", "\"25F9E794323B453885F5181F1B624D0B\"", etag()),
            ("etag", "W/\"25f9e794323b453885f5181f1b624d0b\"", none()),
            ("etag", "\"25f9e794323b453885f5181f1b624d0b-2\"", none()),
            ("etag", "\"25f9e794\"", none()),
            ("etag", "\"25f9e794323b453885f5181f1b624d0z\"", none()),
            ("content-md5", "JfnnlDI7RTiF9RgfG2JNCw==", md5()),
            ("content-md5", "JfnnlDI7", none()),
            ("x-ms-blob-content-md5", "JfnnlDI7RTiF9RgfG2JNCw==", md5()),
            ("x-goog-hash", "md5=JfnnlDI7RTiF9RgfG2JNCw==", md5()),
            ("x-goog-hash", "crc32c=4waSgw==", crc32c()),
            ("x-amz-checksum-crc32c", "4waSgw==", crc32c()),
            ("x-amz-checksum-crc32c", "4waSgw==-3", none()),
            ("x-amz-checksum-crc32", "y/Q5Jg==", crc32()),
            ("x-amz-checksum-crc64nvme", "rosUhgp5mIg=", crc64nvme()),
            (
                "x-amz-checksum-sha256",
                "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU=",
                sha256(),
            ),
            (
                "repr-digest",
                "sha-256=:FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU=:",
                sha256(),
            ),
            (
                "content-digest",
                "sha-512=:AAAA:, sha-256=:FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU=:",
                sha256(),
            ),
            (
                "digest",
                "unixsum=1,SHA-256=FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU=",
                sha256(),
            ),
            ("digest", "SHA-256=not base64", none()),
        ] {
            assert_eq!(
                declared(&[(name, value)], false),
                expected,
                "{name}: {value}"
            );
        }
    }

    #[test]
    fn several_headers_are_combined() {
        let google = [
            ("x-goog-hash", "crc32c=4waSgw=="),
            ("x-goog-hash", "md5=JfnnlDI7RTiF9RgfG2JNCw=="),
            ("etag", "\"00000000000000000000000000000000\""),
        ];
        let declared = declared(&google, false);
        assert_eq!(declared.crc32c, Some(0xe306_9283));
        assert_eq!(declared.md5.as_deref(), Some(MD5));
        assert!(declared.is_md5_certain);
    }

    #[test]
    fn an_md5_beside_a_long_digest_is_ignored() {
        let md5 = ("content-md5", "JfnnlDI7RTiF9RgfG2JNCw==");
        for long in [
            ("x-tos-hash-crc64ecma", "5"),
            ("x-amz-checksum-crc64nvme", "rosUhgp5mIg="),
            (
                "digest",
                "SHA-256=FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU=",
            ),
        ] {
            assert_eq!(declared(&[md5, long], false).md5, None, "{long:?}");
        }
    }

    #[test]
    fn a_text_is_told_from_a_file() {
        for (content_type, expected) in [
            ("text/plain; charset=utf-8", true),
            ("TEXT/HTML", true),
            ("application/json", true),
            ("application/problem+json", true),
            ("application/xml", true),
            ("model/gltf+json", false),
            ("model/vnd.collada+xml", false),
            ("application/octet-stream", false),
            ("video/mp4", false),
            ("", false),
        ] {
            let declared = declared(&[("content-type", content_type)], false);
            assert_eq!(declared.is_text, expected, "{content_type}");
        }
    }

    #[test]
    fn a_compressed_body_is_recognized() {
        for (encoding, expected) in [
            ("gzip", true),
            ("Br", true),
            ("aws-chunked, zstd", true),
            ("identity", false),
            ("aws-chunked", false),
            ("", false),
        ] {
            let declared = declared(&[("content-encoding", encoding)], false);
            assert_eq!(declared.is_compressed, expected, "{encoding}");
        }
    }

    #[test]
    fn a_digest_of_a_part_is_no_digest_of_the_object() {
        let part = [
            ("content-md5", "JfnnlDI7RTiF9RgfG2JNCw=="),
            (
                "content-digest",
                "sha-256=:FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU=:",
            ),
            ("x-oss-hash-crc64ecma", "5"),
        ];
        let declared = declared(&part, true);
        assert_eq!((declared.md5, declared.sha256), (None, None));
        assert_eq!(declared.crc64, Some(5));
    }
}
