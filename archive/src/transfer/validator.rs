//! The validator of an object, by which a partial response shows that it continues an earlier one.

use reqwest::header::{ETAG, HeaderMap, HeaderName, HeaderValue, LAST_MODIFIED};

/// Maximum length of a validator, in bytes. It travels in heartbeats, whose size is limited.
const MAX_LENGTH: usize = 1_024;

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
            .filter(|value| value.len() <= MAX_LENGTH)
            .cloned()
            .map(Self)
    }

    /// Parses a validator. Returns `None` if the text is empty or not a header value.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let value = HeaderValue::from_str(text).ok()?;
        (!value.is_empty()).then_some(Self(value))
    }

    pub(super) fn as_str(&self) -> Option<&str> {
        self.0.to_str().ok()
    }

    /// Returns whether a response has this validator.
    pub(super) fn is_in(&self, headers: &HeaderMap) -> bool {
        headers
            .get(self.name())
            .is_some_and(|value| *value == self.0)
    }

    /// Returns the value of `If-Range`.
    pub(super) fn if_range(&self) -> &HeaderValue {
        &self.0
    }

    /// Returns whether a response belongs to the same object. Returns `true` if the header is missing, because not
    /// every host sends it with a partial response.
    pub(super) fn matches(&self, headers: &HeaderMap) -> bool {
        headers
            .get(self.name())
            .is_none_or(|value| *value == self.0)
    }

    fn name(&self) -> HeaderName {
        let is_etag = self.0.as_bytes().starts_with(b"\"");
        if is_etag { ETAG } else { LAST_MODIFIED }
    }
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
    fn a_validator_that_is_too_long_for_a_heartbeat_is_none() {
        let etag = HeaderValue::try_from(format!("\"{}\"", "e".repeat(MAX_LENGTH))).unwrap();
        let headers = HeaderMap::from_iter([(ETAG, etag)]);
        assert!(Validator::from_headers(&headers).is_none());
    }

    #[test]
    fn a_response_without_the_header_matches() {
        let validator = Validator::parse("\"one\"").unwrap();
        assert!(validator.matches(&headers(&[("etag", "\"one\"")])));
        assert!(validator.matches(&headers(&[("last-modified", "today")])));
        assert!(!validator.matches(&headers(&[("etag", "\"two\"")])));
    }

    #[test]
    fn a_validator_is_in_a_response_that_repeats_it() {
        let validator = Validator::parse("\"one\"").unwrap();
        assert!(validator.is_in(&headers(&[("etag", "\"one\"")])));
        assert!(!validator.is_in(&headers(&[("last-modified", "today")])));
        assert!(Validator::parse("").is_none());
    }
}
