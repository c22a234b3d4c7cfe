//! Objects that differ from their receipts.

use anyhow::ensure;
use bytes::Bytes;
use futures::TryStreamExt;
use object_store::ObjectStoreExt;
use seedance_archiver_archive::audit;

use crate::{
    host::Host,
    registry::register,
    world::{SMALL, World},
};

async fn an_audit_finds_changed_truncated_and_missing_objects(
    mut world: World,
) -> anyhow::Result<()> {
    let host = Host::new(SMALL).await?;
    for id in [
        "cgt-unchanged",
        "cgt-changed",
        "cgt-truncated",
        "cgt-missing",
    ] {
        world.set_task(id);
        world.archive_video(&host).await?;
    }
    ensure!(
        problems(&world, true).await?.is_empty(),
        "all objects are unchanged"
    );

    world.archive.store.delete(&world.video_key()).await?;
    let mut changed = host.video().to_vec();
    let middle = changed.len() / 2;
    changed[middle] ^= 1;
    world.set_task("cgt-changed");
    world.put(&Bytes::from(changed)).await?;
    world.set_task("cgt-truncated");
    world.put(&host.video().slice(..middle)).await?;

    let (changed, truncated, missing) = (
        ("cgt-changed", "has SHA-256"),
        ("cgt-truncated", "bytes, expected"),
        ("cgt-missing", "is missing"),
    );
    for (deep, expected) in [
        (true, &[changed, missing, truncated][..]),
        (false, &[missing, truncated]),
    ] {
        let found = problems(&world, deep).await?;
        let is_expected = |(found, expected): (&String, &(&str, &str))| {
            found.contains(expected.0) && found.contains(expected.1)
        };
        ensure!(found.len() == expected.len(), "{found:?}");
        ensure!(found.iter().zip(expected).all(is_expected), "{found:?}");
    }
    Ok(())
}
register!(an_audit_finds_changed_truncated_and_missing_objects);

/// Returns the problems of all receipts, in the order of their keys.
async fn problems(world: &World, deep: bool) -> anyhow::Result<Vec<String>> {
    let verified: Vec<_> = audit::verify(&world.archive, None, deep)
        .try_collect()
        .await?;
    ensure!(verified.iter().all(|it| it.objects == 2), "{verified:?}");
    ensure!(verified.len() == 4, "{verified:?}");
    let findings = verified.into_iter().flat_map(|it| it.findings);
    let mut problems: Vec<_> = findings
        .map(|it| format!("{}: {} {}", it.receipt, it.object, it.problem))
        .collect();
    problems.sort();
    Ok(problems)
}
