//! The documents of the archive, against the schemas in `docs/`.

use anyhow::{Context, anyhow, ensure};
use serde_json::Value;

const MANIFEST: &str = include_str!("../../docs/manifest.schema.json");
const OUTCOME: &str = include_str!("../../docs/outcome.schema.json");

pub(crate) fn check_manifest(json: &[u8]) -> anyhow::Result<()> {
    check(MANIFEST, json)
}

pub(crate) fn check_outcome(json: &[u8]) -> anyhow::Result<()> {
    check(OUTCOME, json)
}

/// Beside what the schema says, it knows every field: one that it has no words for is not documented.
fn check(schema: &str, json: &[u8]) -> anyhow::Result<()> {
    let schema: Value = serde_json::from_str(schema)?;
    let document: Value = serde_json::from_slice(json)?;
    let validator = jsonschema::validator_for(&schema).map_err(|error| anyhow!("{error}"))?;
    if let Err(error) = validator.validate(&document) {
        return Err(anyhow!("{error} at {}", error.instance_path()));
    }
    let known = schema["properties"].as_object().context("no properties")?;
    for field in document.as_object().context("no object")?.keys() {
        ensure!(known.contains_key(field), "`{field}` is not in the schema");
    }
    Ok(())
}
