//! The dialect of a video host: what it does differently from ByteDance's object store.

use std::str::FromStr;

use crate::{
    error_page::ErrorPage,
    parse::{flag, number},
};

/// What the host of a video does differently from ByteDance's object store.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HostDialect {
    /// Status of a refused URL. `None`: 403.
    pub refusal_status: Option<u16>,
    /// Code in the body of a refused URL. `None`: `AccessDenied`.
    pub refusal_code: Option<String>,
    /// Whether the host ignores the expiry of URLs.
    pub serves_expired: bool,
    /// Whether every response is a 206, even to a request without `Range`.
    pub always_206: bool,
    /// Maximum number of bytes of a range.
    pub range_cap: Option<u64>,
    /// Whether `Content-Range` and `Content-Length` do not contain the size of the video.
    pub unknown_total: bool,
    /// Whether every request with `If-Range` is answered with the entire video.
    pub if_range_200: bool,
    /// Whether `If-Range` is ignored, and the range is served of any object.
    pub if_range_ignored: bool,
    /// Unit of ranges: they start at the multiple before the requested offset.
    pub range_align: Option<u64>,
    /// Whether each response has another `ETag`.
    pub changing_etags: bool,
    /// Whether responses have neither `ETag` nor `Last-Modified`.
    pub no_validators: bool,
    /// Whether each response is of another video of the same size.
    pub changing_bytes: bool,
    /// How many of the first requests are answered with [`HostDialect::busy_status`].
    pub busy: u64,
    /// Status while the host is busy. `None`: 503.
    pub busy_status: Option<u16>,
    /// `Retry-After` while the host is busy, in seconds.
    pub retry_after: Option<u64>,
    /// How many requests, after the downloads that are aborted, are answered with [`HostDialect::error_page`].
    pub error_pages: u64,
    /// What the host returns with status 200 instead of the video.
    pub error_page: ErrorPage,
    /// Whether responses have no `Content-Length`.
    pub chunked: bool,
    /// Format of the video.
    pub container: Container,
    /// The headers with digests.
    pub digest_headers: DigestHeaders,
}

/// The format behind a video URL.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Container {
    /// MP4.
    #[default]
    Mp4,
    /// MP4 with the box of a C2PA manifest, whose content is no manifest.
    C2pa,
    /// QuickTime.
    Mov,
    /// WebM.
    Webm,
    /// GIF.
    Gif,
    /// A 3D model, binary.
    Glb,
    /// A 3D model, JSON.
    Gltf,
}

impl FromStr for Container {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "mp4" => Ok(Self::Mp4),
            "c2pa" => Ok(Self::C2pa),
            "mov" => Ok(Self::Mov),
            "webm" => Ok(Self::Webm),
            "gif" => Ok(Self::Gif),
            "glb" => Ok(Self::Glb),
            "gltf" => Ok(Self::Gltf),
            _ => Err("must be mp4, c2pa, mov, webm, gif, glb or gltf".into()),
        }
    }
}

/// The headers in which a host declares digests.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum DigestHeaders {
    /// `ETag` and `x-tos-hash-crc64ecma`.
    #[default]
    Tos,
    /// `ETag` and `x-oss-hash-crc64ecma`.
    Oss,
    /// `ETag` and `x-cos-hash-crc64ecma`.
    Cos,
    /// `Content-MD5`.
    ContentMd5,
    /// `x-ms-blob-content-md5`.
    Azure,
    /// `x-goog-hash`.
    Google,
    /// `x-amz-checksum-sha256`.
    Amazon,
    /// `Repr-Digest`.
    ReprDigest,
}

impl FromStr for DigestHeaders {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "tos" => Ok(Self::Tos),
            "oss" => Ok(Self::Oss),
            "cos" => Ok(Self::Cos),
            "content_md5" => Ok(Self::ContentMd5),
            "azure" => Ok(Self::Azure),
            "google" => Ok(Self::Google),
            "amazon" => Ok(Self::Amazon),
            "repr_digest" => Ok(Self::ReprDigest),
            _ => Err(
                "must be tos, oss, cos, content_md5, azure, google, amazon or repr_digest".into(),
            ),
        }
    }
}

impl HostDialect {
    /// Sets a field by its name in a prompt. Returns whether there is such a field.
    pub(crate) fn set(&mut self, name: &str, value: &str) -> Result<bool, String> {
        match name {
            "refusal_status" => self.refusal_status = Some(status(value)?),
            "refusal_code" => self.refusal_code = Some(value.to_owned()),
            "serves_expired" => self.serves_expired = flag(value)?,
            "always_206" => self.always_206 = flag(value)?,
            "range_cap" => self.range_cap = Some(number::<u64>(value)?.max(1)),
            "unknown_total" => self.unknown_total = flag(value)?,
            "if_range_200" => self.if_range_200 = flag(value)?,
            "if_range_ignored" => self.if_range_ignored = flag(value)?,
            "range_align" => self.range_align = Some(number::<u64>(value)?.max(1)),
            "changing_etags" => self.changing_etags = flag(value)?,
            "no_validators" => self.no_validators = flag(value)?,
            "changing_bytes" => self.changing_bytes = flag(value)?,
            "busy" => self.busy = number(value)?,
            "busy_status" => self.busy_status = Some(status(value)?),
            "retry_after" => self.retry_after = Some(number(value)?),
            "error_pages" => self.error_pages = number(value)?,
            "error_page" => self.error_page = value.parse()?,
            "chunked" => self.chunked = flag(value)?,
            "container" => self.container = value.parse()?,
            "digest_headers" => self.digest_headers = value.parse()?,
            _ => return Ok(false),
        }
        Ok(true)
    }
}

fn status(text: &str) -> Result<u16, String> {
    let status = number::<u16>(text)?;
    let is_valid = (200..600).contains(&status);
    is_valid
        .then_some(status)
        .ok_or_else(|| "must be an HTTP status".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_has_a_name() {
        let mut dialect = HostDialect::default();
        for (name, value) in [
            ("refusal_status", "400"),
            ("refusal_code", "ExpiredToken"),
            ("serves_expired", "true"),
            ("always_206", "true"),
            ("range_cap", "0"),
            ("unknown_total", "true"),
            ("if_range_200", "true"),
            ("if_range_ignored", "true"),
            ("range_align", "4096"),
            ("changing_etags", "true"),
            ("no_validators", "true"),
            ("changing_bytes", "true"),
            ("busy", "2"),
            ("busy_status", "429"),
            ("retry_after", "60"),
            ("error_pages", "2"),
            ("error_page", "text"),
            ("chunked", "true"),
            ("container", "mov"),
            ("digest_headers", "google"),
        ] {
            assert_eq!(dialect.set(name, value), Ok(true), "{name}");
        }
        let expected = HostDialect {
            refusal_status: Some(400),
            refusal_code: Some("ExpiredToken".into()),
            serves_expired: true,
            always_206: true,
            range_cap: Some(1),
            unknown_total: true,
            if_range_200: true,
            if_range_ignored: true,
            range_align: Some(4096),
            changing_etags: true,
            no_validators: true,
            changing_bytes: true,
            busy: 2,
            busy_status: Some(429),
            retry_after: Some(60),
            error_pages: 2,
            error_page: ErrorPage::Text,
            chunked: true,
            container: Container::Mov,
            digest_headers: DigestHeaders::Google,
        };
        assert_eq!(dialect, expected);
        assert_eq!(dialect.set("colour", "red"), Ok(false));
        assert!(dialect.set("busy_status", "99").is_err());
        assert!(dialect.set("container", "exe").is_err());
    }
}
