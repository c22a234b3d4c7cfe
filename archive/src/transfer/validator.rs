//! Decides by the headers whether a partial response continues the object of an earlier response.

use reqwest::header::{CONTENT_RANGE, ETAG, HeaderMap, HeaderValue, LAST_MODIFIED};

/// The strong `ETag` or the `Last-Modified` of an object, exactly as received, because `If-Range` has to repeat
/// the value.
#[derive(Clone, Debug)]
pub(super) struct Validator(HeaderValue);

impl Validator {
    /// Returns the validator of a response. Without one, a change of the object cannot be detected.
    pub(super) fn from_headers(headers: &HeaderMap) -> Option<Self> {
        let is_strong = |etag: &&HeaderValue| !etag.as_bytes().starts_with(b"W/");
        let etag = headers.get(ETAG).filter(is_strong);
        etag.or_else(|| headers.get(LAST_MODIFIED))
            .cloned()
            .map(Self)
    }

    /// Parses a validator. Returns `None` if the text is not a header value.
    pub(super) fn parse(text: &str) -> Option<Self> {
        HeaderValue::from_str(text).ok().map(Self)
    }

    pub(super) fn as_str(&self) -> Option<&str> {
        self.0.to_str().ok()
    }

    /// Returns the value of `If-Range`.
    pub(super) fn if_range(&self) -> &HeaderValue {
        &self.0
    }

    /// Returns whether a response belongs to the same object. Returns `true` if the header is missing, because not
    /// every host sends it with a partial response.
    pub(super) fn matches(&self, headers: &HeaderMap) -> bool {
        let is_etag = self.0.as_bytes().starts_with(b"\"");
        let name = if is_etag { ETAG } else { LAST_MODIFIED };
        headers.get(name).is_none_or(|value| *value == self.0)
    }
}

/// Returns whether a partial response starts at an offset.
pub(super) fn starts_at(headers: &HeaderMap, offset: u64) -> bool {
    let range = content_range(headers);
    range.is_some_and(|range| range.starts_with(&format!("bytes {offset}-")))
}

/// Returns the total size of the object, from the `Content-Range` of a partial response.
pub(super) fn total_size(headers: &HeaderMap) -> Option<u64> {
    let (_, total) = content_range(headers)?.split_once('/')?;
    total.parse().ok()
}

fn content_range(headers: &HeaderMap) -> Option<&str> {
    headers.get(CONTENT_RANGE)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(headers: &[(&'static str, &'static str)]) -> HeaderMap {
        let headers = headers.iter().map(|(name, value)| {
            let name = reqwest::header::HeaderName::from_static(name);
            (name, HeaderValue::from_static(value))
        });
        headers.collect()
    }

    #[test]
    fn the_validator_is_the_strong_etag_or_the_last_modified() {
        let date = "Sun, 06 Nov 1994 08:49:37 GMT";
        let text = |pairs: &[(&'static str, &'static str)]| {
            let validator = Validator::from_headers(&headers(pairs))?;
            validator.as_str().map(str::to_owned)
        };
        let both = text(&[("etag", "\"one\""), ("last-modified", date)]);
        assert_eq!(both.as_deref(), Some("\"one\""));
        let weak = text(&[("etag", "W/\"one\""), ("last-modified", date)]);
        assert_eq!(weak.as_deref(), Some(date));
        assert_eq!(text(&[("etag", "W/\"one\"")]), None);
    }

    #[test]
    fn a_response_without_the_header_matches() {
        let validator = Validator::parse("\"one\"").unwrap();
        assert!(validator.matches(&headers(&[("etag", "\"one\"")])));
        assert!(validator.matches(&headers(&[("last-modified", "today")])));
        assert!(!validator.matches(&headers(&[("etag", "\"two\"")])));
    }

    #[test]
    fn content_range_contains_the_offset_and_the_size() {
        let range = headers(&[("content-range", "bytes 8-11/12")]);
        assert!(starts_at(&range, 8) && !starts_at(&range, 1));
        assert_eq!(total_size(&range), Some(12));
        let unknown = headers(&[("content-range", "bytes 8-11/*")]);
        assert_eq!(total_size(&unknown), None);
        assert!(!starts_at(&headers(&[]), 0));
    }
}
