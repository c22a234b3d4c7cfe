//! Probes stores that work, and S3 in the dialects of other stores and with missing permissions.

use std::time::Duration;

use anyhow::{Context, ensure};
use futures::TryStreamExt;
use object_store::ObjectStore;
use seedance_archiver_archive::{ObjectOptions, ProbeReport};

use crate::{fixture::Fixture, registry::register, s3_proxy::Dialect, servers, store::Store};

/// Timeout of the probe of a slow store.
const SHORT: Duration = Duration::from_secs(2);

async fn a_probe_finds_no_problem_and_leaves_nothing(fixture: Fixture) -> anyhow::Result<()> {
    let report = fixture.archive.probe().await;
    ensure!(report.problems.is_empty(), "{report:?}");
    ensure!(report.left.is_empty(), "{report:?}");
    let objects = fixture.archive.store.list(Some(&fixture.archive.root));
    let objects: Vec<_> = objects.try_collect().await?;
    ensure!(objects.is_empty(), "{objects:?}");
    assert_no_open_uploads(fixture.store, fixture.prefix).await?;
    fixture.assert_no_leftovers().await
}
register!(a_probe_finds_no_problem_and_leaves_nothing);

/// Whether a problem blocks archiving.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Effect {
    Blocks,
    Warns,
}

async fn a_probe_names_what_the_store_denies_or_does_wrong(fixture: Fixture) -> anyhow::Result<()> {
    use Effect::{Blocks, Warns};
    for (dialect, effect, problem) in [
        (
            Dialect::DeniesMissing,
            Blocks,
            "cannot look up a missing object: ",
        ),
        (Dialect::DeniesPut, Blocks, "cannot write the test object: "),
        (Dialect::DeniesGet, Blocks, "cannot read the test object: "),
        (
            Dialect::DeniesTags,
            Blocks,
            "cannot write an object with tags: ",
        ),
        (
            Dialect::RejectsStorageClass,
            Blocks,
            "cannot start a multipart upload with the storage class `STANDARD`: ",
        ),
        (
            Dialect::DeniesUpload,
            Blocks,
            "cannot start a multipart upload: ",
        ),
        (Dialect::DeniesPart, Blocks, "cannot upload a part: "),
        (
            Dialect::IgnoresConditions,
            Blocks,
            "a create-only put replaced an existing object",
        ),
        (
            Dialect::RejectsConditions,
            Blocks,
            "a create-only put failed: ",
        ),
        (
            Dialect::RejectsConditionalComplete,
            Blocks,
            "the store rejects `If-None-Match: *` on CompleteMultipartUpload: ",
        ),
        (
            Dialect::RefusesConditionalComplete,
            Blocks,
            "the store rejects `If-None-Match: *` on CompleteMultipartUpload: ",
        ),
        (
            Dialect::IgnoresConditionalComplete,
            Blocks,
            "completing a multipart upload replaced an existing object",
        ),
        (
            Dialect::CopiesLikeR2,
            Warns,
            "staged and copied instead, with `cf-copy-destination-if-none-match: *`",
        ),
        (Dialect::ConflictsAlways, Blocks, "HTTP 409"),
        (
            Dialect::IsSlow,
            Blocks,
            "no response to CompleteMultipartUpload with `If-None-Match: *` within 2 s",
        ),
        (
            Dialect::DeniesReplacing,
            Warns,
            "cannot replace an object: ",
        ),
        (
            Dialect::IgnoresIfMatch,
            Warns,
            "a put with `If-Match` replaced an object",
        ),
        (
            Dialect::DeniesAbort,
            Warns,
            "cannot abort a multipart upload: ",
        ),
        (Dialect::DeniesList, Warns, "cannot list objects: "),
        (
            Dialect::DeniesListUploads,
            Warns,
            "cannot list incomplete uploads: ",
        ),
        (
            Dialect::DeniesDelete,
            Warns,
            "cannot delete the test objects: ",
        ),
    ] {
        let report = probe(&fixture, dialect).await?;
        let found = report
            .problems
            .iter()
            .find(|found| found.to_string().contains(problem));
        let found = found.with_context(|| format!("{dialect:?}: no {problem:?}: {report:?}"))?;
        let blocks = found.blocks_archiving();
        ensure!(blocks == (effect == Blocks), "{dialect:?}: {report:?}");
        ensure!(report.problems.len() == 1, "{dialect:?}: {report:?}");
        let is_left = dialect == Dialect::DeniesDelete;
        ensure!(report.left.is_empty() != is_left, "{dialect:?}: {report:?}");
    }
    let report = probe(&fixture, Dialect::ConflictsOnce).await?;
    ensure!(report.problems.is_empty(), "{report:?}");
    Ok(())
}
register!(
    a_probe_names_what_the_store_denies_or_does_wrong,
    |store| store == Store::S3
);

/// Probes an archive under a prefix of its own, in a dialect, with all options that the test server accepts.
async fn probe(fixture: &Fixture, dialect: Dialect) -> anyhow::Result<ProbeReport> {
    let prefix = format!("{}-{:02}", fixture.prefix, dialect as usize);
    let options = ObjectOptions {
        tags: [("team".to_owned(), "video".to_owned())].into(),
        storage_class: Some("STANDARD".to_owned()),
        ..ObjectOptions::default()
    };
    let archive = fixture.store.open(&prefix, options)?;
    servers::set_dialect(&prefix, dialect).await?;
    let report = match dialect {
        Dialect::IsSlow => archive.probe_within(SHORT).await,
        _ => archive.probe().await,
    };
    if dialect != Dialect::DeniesAbort {
        let left = assert_no_open_uploads(fixture.store, &prefix).await;
        left.with_context(|| format!("{dialect:?}"))?;
    }
    Ok(report)
}

/// Asserts that no upload was left behind. An upload is invisible, and costs money until a rule of the bucket aborts it.
async fn assert_no_open_uploads(store: Store, prefix: &str) -> anyhow::Result<()> {
    if store == Store::S3 {
        let open = servers::open_uploads(prefix).await?;
        ensure!(open == 0, "{open} uploads were left behind");
    }
    Ok(())
}
