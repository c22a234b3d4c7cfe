//! Removes secrets from a response, in case the service repeats them: the API key in the message of a failed task, for
//! example, which is kept in history and in the archive.

use std::{cmp::Reverse, iter::once, ops::Range};

use secrecy::{ExposeSecret, SecretString};

use crate::json;

const REDACTED: &str = "REDACTED";
/// Minimum length of another secret than the key of the request. A shorter one is a seal key that is too weak to be an API
/// key, and could occur in a record by chance.
const MIN_OTHER: usize = 16;

/// The secrets that a response may repeat: API keys, and the token of callbacks.
pub(crate) struct RepeatedSecrets(Vec<SecretString>);

/// The body of a response.
pub(crate) struct Body {
    /// The body without the secrets that it repeats.
    pub(crate) safe: Vec<u8>,
    /// The body as received. `None` if it repeats no secret.
    received: Option<Vec<u8>>,
}

impl Body {
    /// Returns the body with the secrets that it repeats, for the URLs of videos: without a part they do not work, and they
    /// are sealed. `None` if it repeats none.
    pub(crate) fn with_secrets(&self) -> Option<&[u8]> {
        self.received.as_deref()
    }
}

impl RepeatedSecrets {
    /// Returns the key of a request, and other secrets: the keys that unseal URLs, because a task that was created with an
    /// earlier API key among them may still name it, and the token of callbacks.
    pub(crate) fn new(sent: SecretString, others: Vec<SecretString>) -> Self {
        let is_long = |key: &SecretString| key.expose_secret().len() >= MIN_OTHER;
        let others = others.into_iter().filter(is_long);
        let mut keys: Vec<_> = once(sent).chain(others).collect();
        keys.retain(|key| !key.expose_secret().is_empty());
        // The longest first: a key may be a part of another one.
        keys.sort_by_key(|key| Reverse(key.expose_secret().len()));
        Self(keys)
    }

    /// Removes the keys from a body, in whatever way JSON escapes their characters. Before anything is read from the
    /// body: a text that was cut inside a key would keep a part of it.
    pub(crate) fn remove_from(&self, body: Vec<u8>) -> Vec<u8> {
        self.texts().fold(utf8(body), without)
    }

    /// Removes the keys from a body as [`remove_from`](Self::remove_from) does, and keeps what was received if it repeats
    /// one.
    pub(crate) fn remove_keeping(&self, body: Vec<u8>) -> Body {
        let body = utf8(body);
        match self.texts().any(|key| find(&body, key).is_some()) {
            true => Body {
                safe: self.remove_from(body.clone()),
                received: Some(body),
            },
            false => Body {
                safe: body,
                received: None,
            },
        }
    }

    /// Removes the keys from a text.
    pub(crate) fn redact(&self, text: String) -> String {
        self.texts()
            .fold(text, |text, key| text.replace(key, REDACTED))
    }

    /// Returns whether a text contains a key.
    pub(crate) fn are_in(&self, text: &str) -> bool {
        self.texts().any(|key| text.contains(key))
    }

    fn texts(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(ExposeSecret::expose_secret)
    }
}

/// Returns a body in UTF-8 if it is in UTF-16.
fn utf8(body: Vec<u8>) -> Vec<u8> {
    match body.as_slice() {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => json::text(&body).into_bytes(),
        _ => body,
    }
}

fn without(body: Vec<u8>, key: &str) -> Vec<u8> {
    if find(&body, key).is_none() {
        return body;
    }
    let mut safe = Vec::with_capacity(body.len());
    let mut rest = body.as_slice();
    while let Some(found) = find(rest, key) {
        safe.extend_from_slice(&rest[..found.start]);
        safe.extend_from_slice(REDACTED.as_bytes());
        rest = &rest[found.end..];
    }
    safe.extend_from_slice(rest);
    safe
}

/// Returns where the key occurs first.
fn find(text: &[u8], key: &str) -> Option<Range<usize>> {
    (0..text.len()).find_map(|start| {
        let rest = key.chars().try_fold(&text[start..], after)?;
        Some(start..text.len() - rest.len())
    })
}

/// Returns the text after a character, as it is or as JSON escapes it. `None` if the text starts with something else.
fn after(text: &[u8], character: char) -> Option<&[u8]> {
    let plain = |text| strip(text, character);
    let escaped = || {
        let escape = text.strip_prefix(b"\\")?;
        match escape.strip_prefix(b"u") {
            Some(unit) => {
                let (digits, rest) = unit.split_at_checked(4)?;
                let code = u32::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()?;
                (code == u32::from(character)).then_some(rest)
            }
            None => plain(escape).filter(|_| matches!(character, '/' | '"' | '\\')),
        }
    };
    escaped().or_else(|| plain(text))
}

fn strip(text: &[u8], character: char) -> Option<&[u8]> {
    text.strip_prefix(character.encode_utf8(&mut [0; 4]).as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_response_that_repeats_the_key_is_read_without_it() {
        let keys = RepeatedSecrets::new("very/secret\\".into(), Vec::new());
        for (body, expected) in [
            (
                r#"{"a": "very/secret\", "b": "very/secret\very/secret\"}"#,
                r#"{"a": "REDACTED", "b": "REDACTEDREDACTED"}"#,
            ),
            (r#"very\/secret\\."#, "REDACTED."),
            (r#"\u0076ery\u002fsecre\u0074\u005C"#, "REDACTED"),
            (r#"very\/secre\u00"#, r#"very\/secre\u00"#),
            (r#"\\very/secret\\"#, r#"\\REDACTED"#),
            ("", ""),
        ] {
            let safe = keys.remove_from(body.as_bytes().to_vec());
            assert_eq!(String::from_utf8_lossy(&safe), expected, "{body}");
        }
        let none = RepeatedSecrets::new("".into(), Vec::new());
        assert_eq!(none.remove_from(b"x".to_vec()), b"x");
    }

    #[test]
    fn a_body_that_repeats_no_key_is_kept_once() {
        let keys = RepeatedSecrets::new("very-secret".into(), Vec::new());
        let body = keys.remove_keeping(b"a secret".to_vec());
        assert!(body.safe == b"a secret" && body.with_secrets().is_none());
        let body = keys.remove_keeping(b"very-secret!".to_vec());
        assert_eq!(body.safe, b"REDACTED!");
        assert_eq!(body.with_secrets(), Some(&b"very-secret!"[..]));
    }

    #[test]
    fn an_earlier_key_is_removed_unless_it_could_be_a_word() {
        let seal_keys = ["old", "", "an-earlier-api-key"].map(SecretString::from);
        let keys = RepeatedSecrets::new("key".into(), seal_keys.into());
        let body = keys.remove_from(b"an old key, not an-earlier-api-key".to_vec());
        assert_eq!(body, b"an old REDACTED, not REDACTED");
        let text = "an old key, not an-earlier-api-key".to_owned();
        assert_eq!(keys.redact(text), "an old REDACTED, not REDACTED");
        assert!(keys.are_in("<an-earlier-api-key>") && !keys.are_in("old"));
    }
}
