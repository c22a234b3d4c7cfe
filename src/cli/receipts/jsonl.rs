//! JSON lines.

use crate::archive::audit::StoredReceipt;

/// Returns a receipt as it is stored, in one line, with its key as the first field.
pub(super) fn line(receipt: &StoredReceipt) -> String {
    let key = serde_json::Value::from(receipt.key.as_ref());
    let json = compact(&String::from_utf8_lossy(&receipt.json));
    match json.strip_prefix('{') {
        Some(fields) => format!("{{\"manifest_key\":{key},{fields}"),
        // A list of the values of the fields, which no version wrote.
        None => format!("{{\"manifest_key\":{key},\"manifest\":{json}}}"),
    }
}

/// Removes white space outside of strings from a JSON document. Numbers, names and their order stay as they are.
fn compact(json: &str) -> String {
    let mut compact = String::with_capacity(json.len());
    let mut is_in_string = false;
    let mut is_escaped = false;
    for character in json.chars() {
        if is_in_string || !character.is_ascii_whitespace() {
            compact.push(character);
        }
        if character == '"' && !is_escaped {
            is_in_string = !is_in_string;
        }
        is_escaped = character == '\\' && !is_escaped;
    }
    compact
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_white_space_between_tokens_is_removed() {
        let json = "{\n  \"a\" : [1.50, 2e3,\t12345678901234567890],\r\n  \"b \\\\\": \" c \\\" { }\\\\\" }\n";
        let expected = "{\"a\":[1.50,2e3,12345678901234567890],\"b \\\\\":\" c \\\" { }\\\\\"}";
        assert_eq!(compact(json), expected);
    }
}
