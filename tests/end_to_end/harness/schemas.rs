//! Validation of archived documents against the schemas in `docs/`.

use anyhow::{Context, anyhow, ensure};
use serde_json::Value;

const MANIFEST: &str = include_str!("../../../docs/manifest.schema.json");
const OUTCOME: &str = include_str!("../../../docs/outcome.schema.json");

/// Checks a `manifest.json`.
pub(crate) fn check_manifest(json: &[u8]) -> anyhow::Result<()> {
    check(MANIFEST, json)
}

/// Checks an `outcome.json`.
pub(crate) fn check_outcome(json: &[u8]) -> anyhow::Result<()> {
    check(OUTCOME, json)
}

/// Validates a document, and checks that the schema documents each of its fields.
fn check(schema: &str, json: &[u8]) -> anyhow::Result<()> {
    let schema: Value = serde_json::from_str(schema)?;
    let document: Value = serde_json::from_slice(json)?;
    let validator = jsonschema::validator_for(&schema).map_err(|error| anyhow!("{error}"))?;
    if let Err(error) = validator.validate(&document) {
        return Err(anyhow!("{error} at {}", error.instance_path()));
    }
    let properties = schema["properties"].as_object().context("no properties")?;
    for field in document.as_object().context("not an object")?.keys() {
        ensure!(
            properties.contains_key(field),
            "`{field}` is not in the schema"
        );
    }
    Ok(())
}
