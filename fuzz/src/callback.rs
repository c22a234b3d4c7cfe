//! The body of a callback.

use seedance_archiver_seedance::{read_json, task_id_in_callback};
use serde_json::Value;

use crate::record;

/// Marks of the order of bytes of UTF-16.
const LITTLE_ENDIAN: u16 = 0xfeff;

/// The id does not depend on how the text is encoded and padded. Valid JSON is read as it is, and an `id` that nothing
/// else competes with is the id.
pub fn check(input: &[u8]) {
    let id = task_id_in_callback(input);
    assert!(id.as_deref() != Some(""));
    let Ok(text) = str::from_utf8(input) else {
        return;
    };
    for other in [format!("\u{feff}{text}"), format!(" \n{text}\0\0")] {
        assert_eq!(task_id_in_callback(other.as_bytes()), id, "{text:?}");
    }
    // A mark or padding at either end is part of a text in UTF-16.
    if text.trim_matches(|it: char| it.is_whitespace() || "\u{feff}\0".contains(it)) == text {
        assert_eq!(task_id_in_callback(&utf16(text)), id, "{text:?}");
    }
    let Ok(value) = serde_json::from_str::<Value>(text) else {
        return;
    };
    assert_eq!(read_json(input).as_ref(), Some(&value), "{text:?}");
    if let Some(plain) = plain_id(&value) {
        assert_eq!(id.as_deref(), Some(plain), "{text:?}");
    }
}

fn utf16(text: &str) -> Vec<u8> {
    let units = [LITTLE_ENDIAN].into_iter().chain(text.encode_utf16());
    units.flat_map(u16::to_le_bytes).collect()
}

/// Returns the `id` of a record without wrappers.
fn plain_id(value: &Value) -> Option<&str> {
    let fields = value.as_object()?;
    let is_scalar = fields.values().all(|value| !value.is_object());
    let is_only = ["task_id", "taskId"]
        .iter()
        .all(|name| !fields.contains_key(*name));
    let id = fields.get("id")?.as_str()?;
    (is_scalar && is_only && !id.is_empty()).then_some(id)
}

/// Returns bodies of the API and of gateways.
pub fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = record::seeds();
    seeds.push(b"{\"task_id\": \"cgt-1\", \"status\": \"running\"}".to_vec());
    seeds.push(b"{\"id\": 17, \"data\": {\"taskId\": \"cgt-2\", \"state\": \"done\"}}".to_vec());
    seeds.push(utf16("{\"id\": \"cgt-3\"}"));
    seeds
}
