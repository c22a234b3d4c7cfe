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
