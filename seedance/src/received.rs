//! A record as the service sent it, without its secrets.

use std::collections::BTreeMap;

use seedance_archiver_proto::redact;
use serde_json::value::RawValue;

use crate::json;

/// A callback URL has its secret in the path.
const CALLBACK_URL: &str = "callback_url";
const REDACTED: &str = "\"REDACTED\"";

/// Returns the record inside the wrappers with these keys, exactly as received. `None` if the text is not JSON.
pub(crate) fn unwrapped(text: &str, wrappers: &[&str]) -> Option<String> {
    let unwrap = |text: &str| {
        let mut record = text.to_owned();
        for wrapper in wrappers {
            let fields: BTreeMap<String, Box<RawValue>> = serde_json::from_str(&record).ok()?;
            record = fields.get(*wrapper)?.get().to_owned();
        }
        Some(record)
    };
    unwrap(text).or_else(|| unwrap(&json::repaired(text)))
}

/// Replaces the secrets in a JSON text: the queries and passwords of URLs, and callback URLs. Everything else stays as
/// it is: numbers keep their digits, and strings their escapes.
pub(crate) fn without_secrets(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    let mut rest = text;
    let mut is_callback = false;
    while let Some(start) = rest.find('"') {
        let (before, at_literal) = rest.split_at(start);
        let literal = json::string_literal(at_literal);
        rest = &at_literal[literal.len()..];
        safe.push_str(before);
        // The name of a field is followed by a colon, its value by anything else.
        let is_name = rest.trim_start().starts_with(':');
        is_callback &= before.trim_matches([':', ' ', '\t', '\r', '\n']).is_empty();
        match json::unquoted(literal) {
            _ if is_callback && !is_name => safe.push_str(REDACTED),
            Some(text) if without_query(&text) != text => {
                let text = serde_json::Value::String(without_query(&text));
                safe.push_str(&text.to_string());
            }
            _ => safe.push_str(literal),
        }
        is_callback = is_name && json::unquoted(literal).as_deref() == Some(CALLBACK_URL);
    }
    safe.push_str(rest);
    safe
}

/// Replaces everything after `?` in a text that is a URL. `redact` would stop at a space or a quote.
fn without_query(text: &str) -> String {
    let text = redact::url_queries(text);
    let is_url = text.starts_with("https://") || text.starts_with("http://");
    match text.split_once('?') {
        Some((address, _)) if is_url && !address.contains(char::is_whitespace) => {
            format!("{address}?REDACTED")
        }
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_secrets_are_replaced() {
        let text = r#"{ "seed":12345678901234567890123, "x":1e400,
            "prompt": "caf\u00e9 \ud800 https://a.example/in.png?sig=1 end",
            "content": {"video_url": "https:\/\/h.example\/v.mp4?a=\"b c\"&X-Tos-Signature=s"},
            "callback_url" : "https://hooks.example/secret", "tools": ["callback_url", "kept"],
            "inner": {"callback_url": null, "next": "kept"} }"#;
        let expected = r#"{ "seed":12345678901234567890123, "x":1e400,
            "prompt": "café � https://a.example/in.png?REDACTED end",
            "content": {"video_url": "https://h.example/v.mp4?REDACTED"},
            "callback_url" : "REDACTED", "tools": ["callback_url", "kept"],
            "inner": {"callback_url": null, "next": "kept"} }"#;
        assert_eq!(without_secrets(text), expected);
    }

    #[test]
    fn a_text_that_is_not_json_stays_the_same() {
        for text in ["", "{", "\"", "{\"a", "{\"a\": \"b\\", "a\"b\"c"] {
            assert_eq!(without_secrets(text), text);
        }
    }

    #[test]
    fn the_record_is_taken_out_of_its_wrappers_unchanged() {
        let text = r#"{"code": 0, "data": {"n": 1e400, "data": { "seed" : 1.0e5 }}}"#;
        assert_eq!(unwrapped(text, &[]).as_deref(), Some(text));
        let inner = unwrapped(text, &["data", "data"]);
        assert_eq!(inner.as_deref(), Some(r#"{ "seed" : 1.0e5 }"#));
        let repaired = unwrapped(r#"{"data": {"a": NaN},}"#, &["data"]);
        assert_eq!(repaired.as_deref(), Some(r#"{"a": null}"#));
        assert_eq!(unwrapped("<html>", &["data"]), None);
    }
}
