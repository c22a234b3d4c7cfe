//! The documents in the archive, validated against the schemas in `docs/`.

use std::{path::PathBuf, sync::Arc};

use anyhow::ensure;
use seedance_archiver_simulator::{Ending, Image, Script};
use tokio::process::Command;

use crate::harness::{
    Fixture, Server, register,
    tools::{in_repository, python_example},
};

async fn receipts_and_outcome_records_match_their_schemas(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let ids = [
        Script::default(),
        Script {
            last_frame: Some(Image::Jpeg),
            no_ranges: true,
            ..Script::default()
        },
        Script {
            ending: Ending::Failed,
            ..Script::default()
        },
        Script {
            ending: Ending::Expired,
            ..Script::default()
        },
    ]
    .map(|script| fixture.simulator.create(script));
    fixture
        .with_worker(&server, async {
            for id in &ids {
                fixture.start_lifecycle(&server, id).await?.result().await?;
            }
            Ok(())
        })
        .await?;
    let documents = |name: &str| -> anyhow::Result<Vec<PathBuf>> {
        let mut files = fixture.archived_files()?;
        files.retain(|file| file.ends_with(name));
        let root = fixture.directory.path();
        Ok(files.iter().map(|file| root.join(file)).collect())
    };
    let receipts = documents("manifest.json")?;
    let outcomes = documents("outcome.json")?;
    ensure!((receipts.len(), outcomes.len()) == (2, 2));
    ensure!(validate("manifest", &receipts).await? == "");
    ensure!(validate("outcome", &outcomes).await? == "");
    let errors = validate("manifest", &outcomes).await?;
    ensure!(errors.contains("ValidationError"), "{errors}");
    Ok(())
}
register!(
    receipts_and_outcome_records_match_their_schemas,
    needs = [python_example]
);

/// Validates documents against a schema, and returns the errors.
async fn validate(schema: &str, documents: &[PathBuf]) -> anyhow::Result<String> {
    let output = Command::new(python_example()?)
        .arg(in_repository("tests/json_schema.py"))
        .arg(in_repository(&format!("docs/{schema}.schema.json")))
        .args(documents)
        .output()
        .await?;
    Ok(String::from_utf8_lossy(&output.stderr).into_owned())
}
