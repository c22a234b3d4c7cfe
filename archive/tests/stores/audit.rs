//! Audits archives whose objects differ from their receipts.

use anyhow::ensure;
use bytes::Bytes;
use futures::TryStreamExt;
use object_store::ObjectStoreExt;
use seedance_archiver_archive::audit;

use crate::{
    fixture::{Fixture, SMALL},
    host::Host,
    registry::register,
    s3_proxy::Dialect,
    servers::set_dialect,
    store::Store,
};

async fn an_audit_finds_changed_truncated_and_missing_objects(
    mut fixture: Fixture,
) -> anyhow::Result<()> {
    let host = Host::start(SMALL).await?;
    for id in [
        "cgt-unchanged",
        "cgt-changed",
        "cgt-truncated",
        "cgt-missing",
    ] {
        fixture.set_task(id);
        fixture.archive_video(&host).await?;
    }
    let found = problems(&fixture, true).await?;
    ensure!(found.is_empty(), "{found:?}");

    fixture.set_task("cgt-missing");
    fixture.archive.store.delete(&fixture.video_key()).await?;
    let mut changed = host.video().to_vec();
    let middle = changed.len() / 2;
    changed[middle] ^= 1;
    fixture.set_task("cgt-changed");
    fixture.put(&Bytes::from(changed)).await?;
    fixture.set_task("cgt-truncated");
    fixture.put(&host.video().slice(..middle)).await?;

    let (changed, truncated, missing) = (
        ("cgt-changed", "has SHA-256"),
        ("cgt-truncated", "bytes, expected"),
        ("cgt-missing", "is missing"),
    );
    for (deep, expected) in [
        (true, &[changed, missing, truncated][..]),
        (false, &[missing, truncated]),
    ] {
        let found = problems(&fixture, deep).await?;
        let is_expected = |(found, expected): (&String, &(&str, &str))| {
            found.contains(expected.0) && found.contains(expected.1)
        };
        ensure!(found.len() == expected.len(), "{found:?}");
        ensure!(found.iter().zip(expected).all(is_expected), "{found:?}");
    }
    Ok(())
}
register!(an_audit_finds_changed_truncated_and_missing_objects);

async fn an_unreadable_object_or_receipt_does_not_end_an_audit(
    mut fixture: Fixture,
) -> anyhow::Result<()> {
    let host = Host::start(SMALL).await?;
    for (id, name, dialect) in [
        ("cgt-audit-tier", "video.mp4", Dialect::IsArchived),
        ("cgt-audit-failing", "video.mp4", Dialect::FailsReads),
        (
            "cgt-audit-receipt-tier",
            "manifest.json",
            Dialect::IsArchived,
        ),
        ("cgt-audit-receipt", "manifest.json", Dialect::DeniesMissing),
        ("cgt-audit-readable", "video.mp4", Dialect::None),
    ] {
        fixture.set_task(id);
        fixture.archive_video(&host).await?;
        set_dialect(&format!("{id}/{name}"), dialect).await?;
    }
    fixture.set_task("cgt-audit-receipt");
    let receipt = fixture.layout().manifest();
    let broken = "{\"objects\": ".into();
    fixture.archive.store.put(&receipt, broken).await?;

    let verified: Vec<_> = audit::verify(&fixture.archive, None, true)
        .try_collect()
        .await?;
    ensure!(verified.len() == 5, "{verified:?}");
    let findings = verified.iter().flat_map(|it| &it.findings);
    let mut found: Vec<_> = findings
        .map(|it| format!("{}: {} {}", it.receipt, it.object, it.problem))
        .collect();
    found.sort();
    let expected = [
        ("cgt-audit-failing/", "video.mp4 cannot be read: "),
        (
            "cgt-audit-receipt-tier/",
            "manifest.json is in an archive tier",
        ),
        ("cgt-audit-receipt/", "is not a receipt"),
        (
            "cgt-audit-tier/",
            "video.mp4 is in an archive tier of the store (InvalidObjectState)",
        ),
    ];
    ensure!(found.len() == expected.len(), "{found:?}");
    for (found, (key, problem)) in found.iter().zip(expected) {
        ensure!(found.contains(key) && found.contains(problem), "{found}");
    }
    Ok(())
}
register!(
    an_unreadable_object_or_receipt_does_not_end_an_audit,
    |store| store == Store::S3
);

/// Returns the problems in all receipts, ordered by the receipts' keys.
async fn problems(fixture: &Fixture, deep: bool) -> anyhow::Result<Vec<String>> {
    let verified: Vec<_> = audit::verify(&fixture.archive, None, deep)
        .try_collect()
        .await?;
    // A receipt names two objects: the video and `task.json`.
    ensure!(verified.iter().all(|it| it.objects == 2), "{verified:?}");
    ensure!(verified.len() == 4, "{verified:?}");
    let findings = verified.into_iter().flat_map(|it| it.findings);
    let mut problems: Vec<_> = findings
        .map(|it| format!("{}: {} {}", it.receipt, it.object, it.problem))
        .collect();
    problems.sort();
    Ok(problems)
}
