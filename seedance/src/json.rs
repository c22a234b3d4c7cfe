//! Reads JSON that strict parsers refuse: with a byte order mark, invalid UTF-8, lone surrogates, control characters
//! in strings, numbers that do not fit, trailing commas.

use std::borrow::Cow;

use serde_json::Value;

/// Reads JSON as services send it and archives keep it, which strict parsers may refuse. Returns `None` if it is not JSON.
pub fn read_json(body: &[u8]) -> Option<Value> {
    parse(&text(body)).ok()
}

/// Returns the text of a body. Bytes that are not text become U+FFFD.
pub(crate) fn text(body: &[u8]) -> String {
    let utf16 = |order: fn([u8; 2]) -> u16, bytes: &[u8]| {
        let units = bytes.chunks_exact(2).filter_map(|it| it.try_into().ok());
        let units: Vec<u16> = units.map(order).collect();
        String::from_utf16_lossy(&units)
    };
    match body {
        [0xff, 0xfe, rest @ ..] => utf16(u16::from_le_bytes, rest),
        [0xfe, 0xff, rest @ ..] => utf16(u16::from_be_bytes, rest),
        _ => {
            let text = String::from_utf8_lossy(body);
            let padding = |c: char| c.is_whitespace() || c == '\u{feff}' || c == '\0';
            text.trim_matches(padding).to_owned()
        }
    }
}

/// Parses a text, repaired if it is not valid JSON.
///
/// # Errors
///
/// Returns the error of the text as received if the repaired text is not valid JSON either.
pub(crate) fn parse(text: &str) -> Result<Value, serde_json::Error> {
    serde_json::from_str(text).or_else(|error| match text.starts_with(['{', '[']) {
        true => serde_json::from_str(&repaired(text)).map_err(|_| error),
        false => Err(error),
    })
}

/// Returns a text with the deviations from JSON replaced that services are known for. A text that differs from JSON
/// in another way stays invalid.
pub(crate) fn repaired(text: &str) -> String {
    let mut repaired = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        let token = match next {
            '"' => string_literal(rest),
            '{' | '}' | '[' | ']' | ':' | ',' => &rest[..1],
            _ if next.is_whitespace() => &rest[..next.len_utf8()],
            _ => bare_word(rest),
        };
        rest = &rest[token.len()..];
        match next {
            '"' => repaired.push_str(&valid_string(token)),
            ',' if rest.trim_start().starts_with(['}', ']']) => {}
            '{' | '}' | '[' | ']' | ':' | ',' => repaired.push(next),
            _ if next.is_whitespace() => repaired.push(next),
            _ => repaired.push_str(&valid_scalar(token)),
        }
    }
    repaired
}

/// Returns the string literal at the start of a text, with its quotes. A literal without an end extends to the end of
/// the text.
pub(crate) fn string_literal(text: &str) -> &str {
    let mut is_escaped = false;
    for (position, next) in text.char_indices().skip(1) {
        match next {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '"' => return &text[..=position],
            _ => {}
        }
    }
    text
}

/// Returns the text that a string literal stands for.
pub(crate) fn unquoted(literal: &str) -> Option<String> {
    serde_json::from_str(literal)
        .or_else(|_| serde_json::from_str(&valid_string(literal)))
        .ok()
}

fn bare_word(text: &str) -> &str {
    let is_end = |c: char| c.is_whitespace() || "{}[]:,\"".contains(c);
    &text[..text.find(is_end).unwrap_or(text.len())]
}

/// Keeps a scalar that is valid. A number that does not fit becomes a string, so that its digits are kept.
fn valid_scalar(word: &str) -> Cow<'_, str> {
    if serde_json::from_str::<Value>(word).is_ok() {
        return word.into();
    }
    match word
        .trim_start_matches(['-', '+'])
        .to_ascii_lowercase()
        .as_str()
    {
        "nan" | "infinity" | "inf" | "undefined" | "none" | "nil" => "null".into(),
        "true" => "true".into(),
        "false" => "false".into(),
        _ => Value::String(word.to_owned()).to_string().into(),
    }
}

/// Replaces what a string literal must not contain: lone surrogates, raw control characters and unknown escapes.
fn valid_string(literal: &str) -> String {
    let mut valid = String::with_capacity(literal.len());
    let mut rest = literal;
    while let Some(next) = rest.chars().next() {
        let length = match next {
            '\\' => escape_length(rest),
            _ => next.len_utf8(),
        };
        let token = &rest[..length];
        match next {
            '\\' if token == "\\" => valid.push_str("\\\\"),
            '\\' if token.len() == 6 && is_surrogate(token) => valid.push_str("\\ufffd"),
            _ if next < ' ' => valid.push_str(&format!("\\u{:04x}", u32::from(next))),
            _ => valid.push_str(token),
        }
        rest = &rest[length..];
    }
    valid
}

/// Returns the length of the escape at the start of a text: 12 for a pair of surrogates, 1 for a backslash that
/// starts no valid escape.
fn escape_length(text: &str) -> usize {
    let unit = |text: &str| {
        let digits = text.strip_prefix("\\u")?.get(..4)?;
        u16::from_str_radix(digits, 16).ok()
    };
    match text.as_bytes().get(1) {
        Some(b'u') => match (unit(text), text.get(6..).and_then(unit)) {
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => 12,
            (Some(_), _) => 6,
            (None, _) => 1,
        },
        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => 2,
        _ => 1,
    }
}

fn is_surrogate(escape: &str) -> bool {
    let unit = escape
        .get(2..)
        .map(|digits| u16::from_str_radix(digits, 16));
    matches!(unit, Some(Ok(0xd800..=0xdfff)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(body: &[u8]) -> Value {
        read_json(body).unwrap()
    }

    #[test]
    fn reads_what_strict_parsers_refuse() {
        for (body, expected) in [
            (&b"\xef\xbb\xbf{\"a\": 1}"[..], json!({"a": 1})),
            (b"\xff\xfe{\0}\0", json!({})),
            (b"\xfe\xff\0{\0}", json!({})),
            (b" {\"a\": 1}\n\0\0", json!({"a": 1})),
            (b"{\"a\": \"x\xff\"}", json!({"a": "x\u{fffd}"})),
            (
                br#"{"a": "\ud800", "b": "x"}"#,
                json!({"a": "\u{fffd}", "b": "x"}),
            ),
            (
                br#"{"a": "\udc00\ud83d\ude00"}"#,
                json!({"a": "\u{fffd}\u{1f600}"}),
            ),
            (
                br#"{"a": "\ud800\ud800"}"#,
                json!({"a": "\u{fffd}\u{fffd}"}),
            ),
            (b"{\"a\": \"one\ntwo\x1b\"}", json!({"a": "one\ntwo\u{1b}"})),
            (
                br#"{"a": "C:\new\x\"", "b": 1}"#,
                json!({"a": "C:\new\\x\"", "b": 1}),
            ),
            (
                b"{\"a\": 1e400, \"b\": -1E+999}",
                json!({"a": "1e400", "b": "-1E+999"}),
            ),
            (
                b"[NaN, -Infinity, True, None]",
                json!([null, null, true, null]),
            ),
            (b"{\"a\": [1, 2,], }", json!({"a": [1, 2]})),
            (b"{\"a\": .5, \"b\": 007}", json!({"a": ".5", "b": "007"})),
        ] {
            assert_eq!(read(body), expected, "{}", body.escape_ascii());
        }
    }

    #[test]
    fn valid_json_is_not_changed() {
        let text = r#"{"a": "é \ud83d\ude00 \\ \" \u0000", "b": [-1.5e3, true, null], "": {}}"#;
        assert_eq!(repaired(text), text);
    }

    #[test]
    fn the_error_is_that_of_the_text_as_received() {
        for text in [
            "",
            "<html>",
            "{\"a\": \"cut",
            "{\"a\": ",
            "default backend - 404",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
        let error = parse("{\"a\": 1e400, \"b\"}").unwrap_err();
        assert!(error.to_string().contains("number out of range"), "{error}");
    }
}
