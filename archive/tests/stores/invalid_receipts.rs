//! Archives a task although there is an object under the key of its receipt.

use std::sync::Arc;

use anyhow::{bail, ensure};
use bytes::Bytes;
use futures::TryStreamExt;
use object_store::ObjectStoreExt;
use seedance_archiver_archive::{audit, receipt};
use seedance_archiver_proto::v1::OutcomeRecord;

use crate::{
    breaking_store::BreakingStore,
    fixture::{Fixture, SMALL},
    host::Host,
    registry::register,
    store::Store,
};

async fn an_invalid_receipt_is_found_and_replaced_by_a_receipt(
    mut fixture: Fixture,
) -> anyhow::Result<()> {
    let host = Host::start(SMALL).await?;
    for (id, invalid, problem) in [
        ("cgt-empty", "{}", "has no task id"),
        ("cgt-torn", "{\"task_id\": ", "is not a receipt"),
        (
            "cgt-no-object",
            r#"{"task_id": "cgt-no-object", "objects": [{"name": "task.json"}]}"#,
            "names no object",
        ),
    ] {
        fixture.set_task(id);
        let layout = fixture.layout();
        let bytes = Bytes::from(invalid);
        fixture
            .archive
            .store
            .put(&layout.manifest(), bytes.clone().into())
            .await?;
        let found = findings(&fixture).await?;
        ensure!(found.len() == 1 && found[0].contains(problem), "{found:?}");
        ensure!(!receipt::is_archived(&fixture.archive, &layout).await?);

        let manifest = fixture.archive_video(&host).await?;
        let found = findings(&fixture).await?;
        ensure!(found.is_empty(), "{found:?}");
        ensure!(receipt::is_archived(&fixture.archive, &layout).await?);
        let names = fixture.names().await?;
        let [_, copy, record, video] = &names[..] else {
            bail!("{names:?}");
        };
        ensure!([record, video] == ["task.json", "video.mp4"], "{names:?}");
        ensure!(copy.starts_with("manifest.json.invalid-"), "{names:?}");
        ensure!(fixture.read(copy).await? == bytes, "{copy}");
        let warnings = &manifest.warnings;
        ensure!(
            warnings.len() == 1 && warnings[0].ends_with(copy),
            "{warnings:?}"
        );
        let again = fixture.archive_video(&host).await?;
        ensure!(again == manifest, "{again:?} and {manifest:?}");
    }
    Ok(())
}
register!(an_invalid_receipt_is_found_and_replaced_by_a_receipt);

async fn the_receipt_of_another_task_is_a_conflict(fixture: Fixture) -> anyhow::Result<()> {
    let host = Host::start(SMALL).await?;
    let key = fixture.layout().manifest();
    let other = Bytes::from(r#"{"task_id": "cgt-other", "objects": [{"name": "video.mp4"}]}"#);
    fixture
        .archive
        .store
        .put(&key, other.clone().into())
        .await?;
    let Err(error) = fixture.archive_video(&host).await else {
        bail!("the video was archived");
    };
    ensure!(
        error.to_string().contains("of task `cgt-other`"),
        "{error:#}"
    );
    let names = fixture.names().await?;
    ensure!(names == ["manifest.json"], "{names:?}");
    ensure!(fixture.read("manifest.json").await? == other);
    ensure!(!receipt::is_archived(&fixture.archive, &fixture.layout()).await?);
    Ok(())
}
register!(the_receipt_of_another_task_is_a_conflict);

/// Whoever can write to the bucket must not be able to exhaust the memory of a worker.
async fn a_huge_record_is_not_read(mut fixture: Fixture) -> anyhow::Result<()> {
    let host = Host::start(SMALL).await?;
    let store = fixture.archive.store.clone();
    for name in ["erased.json", "outcome.json", "manifest.json"] {
        fixture.set_task(&format!("cgt-{name}"));
        let layout = fixture.layout();
        store.put(&layout.file(name), "{}".into()).await?;
        let huge = BreakingStore::new(store.clone(), &[]).with_huge(name);
        fixture.archive.store = Arc::new(huge);
        ensure!(!receipt::is_archived(&fixture.archive, &layout).await?);
        let outcome = OutcomeRecord::default();
        receipt::write_outcome(&fixture.archive, &layout, None, &outcome).await?;
        let manifest = fixture.archive_video(&host).await?;
        let is_replaced = name == "manifest.json";
        ensure!(manifest.warnings.len() == usize::from(is_replaced));
        let mut names = fixture.names().await?;
        let copies = names.extract_if(.., |it| it.starts_with("manifest.json.invalid-"));
        let copies: Vec<_> = copies.collect();
        ensure!(copies.len() == usize::from(is_replaced), "{copies:?}");
        for copy in copies {
            ensure!(fixture.read(&copy).await? == "{}", "{copy}");
        }
        let expected = ["manifest.json", "task.json", "video.mp4"];
        names.retain(|it| is_replaced || it != name);
        ensure!(names == expected, "{name}: {names:?}");
    }
    Ok(())
}
register!(a_huge_record_is_not_read, |store| store == Store::Memory);

async fn a_receipt_has_at_most_a_mebibyte(fixture: Fixture) -> anyhow::Result<()> {
    let key = fixture.layout().manifest();
    let json = r#"{"task_id": "cgt-1", "objects": [{"name": "video.mp4"}]}"#;
    for (size, is_receipt) in [(1_usize << 20, true), ((1 << 20) + 1, false)] {
        let padded = format!("{json}{}", " ".repeat(size - json.len()));
        fixture.archive.store.put(&key, padded.into()).await?;
        match receipt::find(&fixture.archive, &key).await {
            Ok(found) => ensure!(is_receipt && found.is_some(), "{size} bytes: {found:?}"),
            Err(error) => ensure!(
                !is_receipt && error.to_string().contains("it has 1048577 bytes"),
                "{size} bytes: {error}"
            ),
        }
    }
    Ok(())
}
register!(a_receipt_has_at_most_a_mebibyte);

/// Returns the problems of the receipts.
async fn findings(fixture: &Fixture) -> anyhow::Result<Vec<String>> {
    let verified: Vec<_> = audit::verify(&fixture.archive, None, true)
        .try_collect()
        .await?;
    let findings = verified.into_iter().flat_map(|it| it.findings);
    Ok(findings.map(|it| it.problem).collect())
}
