//! The documents in the archive, validated against the schemas in `docs/`.

use std::{path::PathBuf, sync::Arc};

use anyhow::ensure;
use seedance_archiver_proto::v1::Manifest;
use seedance_archiver_simulator::{Container, DigestHeaders, Ending, HostDialect, Image, Script};
use tokio::process::Command;

use crate::harness::{
    Fixture, Server, command,
    created_task::create_task_of,
    read_local, register,
    tools::{in_repository, python_example},
};

async fn documents_in_the_archive_match_their_schemas(server: Arc<Server>) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let ids: Vec<_> = [
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
    .into_iter()
    .chain(hosts().map(|host| Script {
        host,
        ..Script::default()
    }))
    .map(|script| fixture.simulator.create(script))
    .collect();
    fixture
        .with_worker(&server, async {
            for id in &ids {
                fixture.start_lifecycle(&server, id).await?.result().await?;
            }
            Ok(())
        })
        .await?;
    let erased = create_task_of(&fixture.simulator, "user-7").await?;
    fixture.run_lifecycle(&server, &erased).await?;
    let erase = command()
        .args(["erase", "--user", "user-7", "--confirm"])
        .env("SEEDANCE_ARCHIVE_URL", fixture.config.archive_url.as_str())
        .output()
        .await?;
    ensure!(erase.status.success(), "{erase:?}");
    let documents = |name: &str| -> anyhow::Result<Vec<PathBuf>> {
        let mut files = fixture.archived_files()?;
        files.retain(|file| file.ends_with(name));
        let root = fixture.directory.path();
        Ok(files.iter().map(|file| root.join(file)).collect())
    };
    let receipts = documents("manifest.json")?;
    let outcomes = documents("outcome.json")?;
    let tombstones = documents("erased.json")?;
    ensure!((receipts.len(), outcomes.len()) == (2 + hosts().count(), 2));
    ensure!(tombstones.len() == 1, "{tombstones:?}");
    for (schema, documents) in [
        ("manifest", &receipts),
        ("outcome", &outcomes),
        ("erased", &tombstones),
    ] {
        let errors = validate(schema, documents).await?;
        ensure!(errors.is_empty(), "{errors}");
    }
    let errors = validate("manifest", &outcomes).await?;
    ensure!(errors.contains("ValidationError"), "{errors}");
    Ok(())
}
register!(
    documents_in_the_archive_match_their_schemas,
    needs = [python_example]
);

/// Hosts with other digests and formats, which have other checks.
fn hosts() -> impl Iterator<Item = HostDialect> {
    use DigestHeaders::*;
    let digests = [ContentMd5, Google, Amazon, ReprDigest].map(|digest_headers| HostDialect {
        digest_headers,
        ..HostDialect::default()
    });
    let formats = [
        Container::C2pa,
        Container::Mov,
        Container::Webm,
        Container::Gif,
        Container::Glb,
    ];
    let formats = formats.map(|container| HostDialect {
        container,
        ..HostDialect::default()
    });
    // Nothing shows where the file ends.
    let streamed = HostDialect {
        container: Container::Gltf,
        chunked: true,
        ..HostDialect::default()
    };
    digests.into_iter().chain(formats).chain([streamed])
}

/// The receipt says whether the video has a C2PA manifest.
async fn a_receipt_says_whether_there_is_a_c2pa_manifest(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let expected = [
        (Container::C2pa, Some(true)),
        (Container::Mp4, Some(false)),
        (Container::Webm, None),
    ];
    fixture
        .with_worker(&server, async {
            for (container, expected) in expected {
                let host = HostDialect {
                    container,
                    ..HostDialect::default()
                };
                let id = fixture.simulator.create(Script {
                    host,
                    ..Script::default()
                });
                let lifecycle = fixture.start_lifecycle(&server, &id).await?;
                let manifest = lifecycle.result().await?.manifest.unwrap_or_default();
                let receipt: Manifest =
                    serde_json::from_slice(&read_local(&manifest.manifest_url)?)?;
                let found: Vec<_> = receipt
                    .objects
                    .iter()
                    .map(|it| it.has_c2pa_manifest)
                    .collect();
                ensure!(found == [expected, None], "{container:?}: {found:?}");
            }
            Ok(())
        })
        .await
}
register!(a_receipt_says_whether_there_is_a_c2pa_manifest);
async fn the_reports_of_audits_match_their_schema(server: Arc<Server>) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    for task in ["default/cgt-1", "default/cgt-2"] {
        fixture.write_video(task, b"a video")?;
    }
    std::fs::remove_file(fixture.video("default/cgt-1"))?;
    fixture
        .with_worker(&server, async {
            fixture.audit(&server, "1/3").await?;
            fixture.audit(&server, "1").await
        })
        .await?;
    let mut reports = fixture.archived_files()?;
    reports.retain(|file| file.starts_with(".audit/"));
    let root = fixture.directory.path();
    let reports: Vec<_> = reports.iter().map(|file| root.join(file)).collect();
    ensure!(reports.len() == 2, "{reports:?}");
    let errors = validate("audit", &reports).await?;
    ensure!(errors.is_empty(), "{errors}");
    Ok(())
}
register!(
    the_reports_of_audits_match_their_schema,
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
