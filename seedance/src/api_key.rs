//! Removes the API key from a response, in case the service repeats it: in the message of a failed task, for example,
//! which is kept in history and in the archive.

use std::ops::Range;

use secrecy::{ExposeSecret, SecretString};

use crate::json;

/// Removes the API key from a body, in whatever way JSON escapes its characters. Before anything is read from the body: a
/// text that was cut inside the key would keep a part of it.
pub(crate) fn without_key(body: Vec<u8>, api_key: &SecretString) -> Vec<u8> {
    let key = api_key.expose_secret();
    let body = match body.as_slice() {
        // UTF-16, which is read as UTF-8 later.
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => json::text(&body).into_bytes(),
        _ => body,
    };
    if key.is_empty() || find(&body, key).is_none() {
        return body;
    }
    let mut safe = Vec::with_capacity(body.len());
    let mut rest = body.as_slice();
    while let Some(found) = find(rest, key) {
        safe.extend_from_slice(&rest[..found.start]);
        safe.extend_from_slice(b"REDACTED");
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
        let key = SecretString::from("very/secret\\");
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
            let safe = without_key(body.as_bytes().to_vec(), &key);
            assert_eq!(String::from_utf8_lossy(&safe), expected, "{body}");
        }
        assert_eq!(without_key(b"x".to_vec(), &SecretString::from("")), b"x");
    }
}
