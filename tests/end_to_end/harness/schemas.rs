//! The fields of archived documents, compared with the schemas in `docs/`. `tests/end_to_end/schemas.rs` validates
//! whole documents.

use anyhow::{Context, ensure};
use serde_json::Value;

const MANIFEST: &str = include_str!("../../../docs/manifest.schema.json");
const AUDIT: &str = include_str!("../../../docs/audit.schema.json");
const OUTCOME: &str = include_str!("../../../docs/outcome.schema.json");
const TOMBSTONE: &str = include_str!("../../../docs/erased.schema.json");

/// Checks a `manifest.json`.
pub(crate) fn check_manifest(json: &[u8]) -> anyhow::Result<()> {
    check(MANIFEST, json)
}

/// Checks the report of an audit.
pub(crate) fn check_audit(json: &[u8]) -> anyhow::Result<()> {
    check(AUDIT, json)
}

/// Checks an `outcome.json`.
pub(crate) fn check_outcome(json: &[u8]) -> anyhow::Result<()> {
    check(OUTCOME, json)
}

/// Checks an `erased.json`.
pub(crate) fn check_tombstone(json: &[u8]) -> anyhow::Result<()> {
    check(TOMBSTONE, json)
}

/// Checks that a document has the required fields of a schema, and that the schema documents each of its fields.
fn check(schema: &str, json: &[u8]) -> anyhow::Result<()> {
    let schema: Value = serde_json::from_str(schema)?;
    let document: Value = serde_json::from_slice(json)?;
    let document = document.as_object().context("not an object")?;
    let required = schema["required"].as_array().context("no `required`")?;
    for field in required.iter().filter_map(Value::as_str) {
        ensure!(document.contains_key(field), "`{field}` is missing");
    }
    let properties = schema["properties"].as_object().context("no properties")?;
    for field in document.keys() {
        ensure!(
            properties.contains_key(field),
            "`{field}` is not in the schema"
        );
    }
    Ok(())
}
