//! The body of an error response: XML, JSON, HTML or text.

use seedance_archiver_proto::external;
use serde_json::Value;

/// Maximum number of bytes that are read of an error response.
pub(super) const MAX_ERROR_BODY: usize = 64 * 1024;
/// Maximum number of characters of a code.
const MAX_CODE: usize = 64;
/// Keys of a code in JSON, in lower case without punctuation.
const CODE_KEYS: [&str; 4] = ["code", "errorcode", "errcode", "type"];
/// How deeply a code may be nested in JSON.
const MAX_DEPTH: usize = 4;

/// The body of an error response.
pub(super) struct ErrorBody {
    text: String,
    /// The host's code, without secrets and control characters.
    pub(super) code: Option<String>,
}

impl ErrorBody {
    pub(super) fn new(body: &[u8]) -> Self {
        let body = body.get(..MAX_ERROR_BODY).unwrap_or(body);
        let text = String::from_utf8_lossy(body).into_owned();
        let code = match serde_json::from_str(text.trim_start_matches('\u{feff}').trim()) {
            Ok(json) => code_in_json(&json, MAX_DEPTH),
            Err(_) => code_in_xml(&text),
        };
        let code = code.map(|code| printable(&code));
        Self {
            text,
            code: code.filter(|code| !code.is_empty()),
        }
    }

    /// Returns the letters and digits of the body, in lower case.
    pub(super) fn words(&self) -> String {
        let characters = self.text.chars().filter(|it| it.is_alphanumeric());
        characters.flat_map(char::to_lowercase).collect()
    }
}

/// Returns the code of an error, however deeply it is nested. Prefers one that is close to the root.
fn code_in_json(json: &Value, depth: usize) -> Option<String> {
    let fields = json.as_object().filter(|_| depth > 0)?;
    let code = |key: &&str| {
        let found = fields.iter().find(|(name, _)| normalized(name) == **key);
        match found?.1 {
            Value::String(code) => Some(code.clone()),
            Value::Number(code) => Some(code.to_string()),
            _ => None,
        }
    };
    let own = CODE_KEYS.iter().find_map(code);
    own.or_else(|| {
        fields
            .values()
            .find_map(|value| code_in_json(value, depth - 1))
    })
}

fn normalized(key: &str) -> String {
    let letters = key.chars().filter(char::is_ascii_alphanumeric);
    letters.map(|it| it.to_ascii_lowercase()).collect()
}

/// Returns the text between `<Code>` and `</Code>`.
fn code_in_xml(text: &str) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    let start = lower.find("<code>")? + "<code>".len();
    let end = start + lower.get(start..)?.find('<')?;
    Some(text.get(start..end)?.to_owned())
}

fn printable(text: &str) -> String {
    let characters = text.trim().chars().filter(|it| !it.is_control());
    external::line(&characters.collect::<String>(), MAX_CODE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_has_no_secrets_and_no_control_characters() {
        for (body, expected) in [
            (
                "<Error><Code>AccessDenied</Code></Error>",
                Some("AccessDenied"),
            ),
            ("<error><code>\u{1b}[31mred\r\n</code>", Some("[31mred")),
            (
                "<Code>https://a.example/v?X-Tos-Signature=secret</Code>",
                Some("https://a.example/v?REDACTED"),
            ),
            (
                "{\"error\": {\"message\": \"m\", \"code\": \"Inner\"}}",
                Some("Inner"),
            ),
            (
                "{\"error\": {\"code\": \"Inner\"}, \"Code\": \"Outer\"}",
                Some("Outer"),
            ),
            ("{\"errorCode\": 7}", Some("7")),
            ("{\"code\": \"\"}", None),
            ("<Code>", None),
            ("text", None),
            ("", None),
        ] {
            assert_eq!(
                ErrorBody::new(body.as_bytes()).code.as_deref(),
                expected,
                "{body}"
            );
        }
        let long = format!("<Code>{}</Code>", "x".repeat(1000));
        let code = ErrorBody::new(long.as_bytes()).code.unwrap();
        assert!(code.chars().count() <= MAX_CODE, "{code}");
    }
}
