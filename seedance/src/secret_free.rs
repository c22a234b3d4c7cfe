//! Removes the secrets from the JSON text of a record.

use seedance_archiver_proto::redact;

use crate::json;

const REDACTED: &str = "\"REDACTED\"";

/// Replaces the secrets in a JSON text: the queries and passwords of URLs, and the URLs of callbacks, whose path is a
/// secret. Everything else stays as it is: numbers keep their digits, and strings their escapes.
pub(crate) fn without_secrets(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    let mut rest = text;
    let mut callback = None;
    while let Some(start) = rest.find('"') {
        let (before, at_literal) = rest.split_at(start);
        let literal = json::string_literal(at_literal);
        rest = &at_literal[literal.len()..];
        safe.push_str(before);
        callback = depth_after(callback, before);
        // The name of a field is followed by a colon, its value by anything else.
        let is_name = rest.trim_start().starts_with(':');
        let text = json::unquoted(literal);
        match &text {
            _ if callback.is_some() && !is_name => safe.push_str(REDACTED),
            Some(text) if without_queries(text) != *text => {
                let text = serde_json::Value::String(without_queries(text));
                safe.push_str(&text.to_string());
            }
            _ => safe.push_str(literal),
        }
        if is_name && text.as_deref().is_some_and(redact::is_callback) {
            callback = callback.or(Some(0));
        }
    }
    safe.push_str(rest);
    safe
}

/// Returns how deep the value of a callback field is nested after these characters between two strings. `None` outside
/// of such a value.
fn depth_after(callback: Option<usize>, between: &str) -> Option<usize> {
    between
        .chars()
        .try_fold(callback?, |depth, next| match next {
            '[' | '{' => Some(depth + 1),
            ']' | '}' => depth.checked_sub(1).filter(|depth| *depth > 0),
            ',' if depth == 0 => None,
            _ => Some(depth),
        })
}

/// Removes the secrets from the URLs in a text. The query of a text that is a URL extends to its end, also after a space
/// or a quotation mark.
fn without_queries(text: &str) -> String {
    let is_url = ["https://", "http://"].iter().any(|scheme| {
        text.get(..scheme.len())
            .is_some_and(|it| it.eq_ignore_ascii_case(scheme))
    });
    let safe = redact::urls(text);
    match text.find(['?', '#']).and_then(|end| text.get(..=end)) {
        Some(address) if is_url && !address.contains(char::is_whitespace) => {
            format!("{}REDACTED", redact::urls(address))
        }
        _ => safe.into_owned(),
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
            "inner": {"callback_url": null, "next": "kept"},
            "callbackUrl": ["https://hooks.example/a", {"url": "b"}], "n": ["kept"] }"#;
        let expected = r#"{ "seed":12345678901234567890123, "x":1e400,
            "prompt": "café � https://a.example/in.png?REDACTED end",
            "content": {"video_url": "https://h.example/v.mp4?REDACTED"},
            "callback_url" : "REDACTED", "tools": ["callback_url", "kept"],
            "inner": {"callback_url": null, "next": "kept"},
            "callbackUrl": ["REDACTED", {"url": "REDACTED"}], "n": ["kept"] }"#;
        assert_eq!(without_secrets(text), expected);
    }

    #[test]
    fn a_url_is_found_in_every_form() {
        for (value, expected) in [
            (
                "https://h.example/a(1),b.mp4?sig=s",
                "https://h.example/a(1),b.mp4?REDACTED",
            ),
            (
                "HTTPS://h.example/v.mp4?a=b c",
                "HTTPS://h.example/v.mp4?REDACTED",
            ),
            (
                "https://user:pw@h.example/v.mp4",
                "https://REDACTED@h.example/v.mp4",
            ),
            (
                "https://h.example/v.mp4#s t",
                "https://h.example/v.mp4#REDACTED",
            ),
            (
                "//h.example/v.mp4?X-Tos-Signature=s",
                "//h.example/v.mp4?REDACTED",
            ),
            (
                "h.example/v.mp4?X-Tos-Signature=s",
                "h.example/v.mp4?REDACTED",
            ),
            (
                "https%3A%2F%2Fh.example%2Fv.mp4%3Fsig%3Ds",
                "https%3A%2F%2Fh.example%2Fv.mp4%3FREDACTED",
            ),
            (
                "Really? Yes: a token, <b>bold</b>",
                "Really? Yes: a token, <b>bold</b>",
            ),
        ] {
            let record = |value: &str| format!(r#"{{"any_field": "{value}"}}"#);
            assert_eq!(without_secrets(&record(value)), record(expected));
        }
    }

    #[test]
    fn a_text_that_is_not_json_stays_the_same() {
        for text in ["", "{", "\"", "{\"a", "{\"a\": \"b\\", "a\"b\"c"] {
            assert_eq!(without_secrets(text), text);
        }
    }
}
