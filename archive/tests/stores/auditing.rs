//! Objects that are not what their receipts say.

use anyhow::ensure;
use bytes::Bytes;
use futures::{FutureExt, TryStreamExt};
use object_store::ObjectStoreExt;
use seedance_archiver_archive::audit;

use crate::{
    Behaviour,
    host::Host,
    store::Store,
    world::{SMALL, World},
};

pub(crate) fn behaviours() -> Vec<Behaviour> {
    vec![Behaviour {
        name: "an_audit_finds_what_is_not_as_it_was",
        is_of: Store::any,
        run: |world| found(world).boxed(),
    }]
}

async fn found(mut world: World) -> anyhow::Result<()> {
    let host = Host::of(SMALL).await?;
    for id in ["cgt-whole", "cgt-changed", "cgt-cut", "cgt-missing"] {
        world.with_task(id);
        world.deposit(&host).await?;
    }
    ensure!(problems(&world, true).await?.is_empty(), "all are whole");

    world.archive.store.delete(&world.video_key()).await?;
    let mut changed = host.video().to_vec();
    let middle = changed.len() / 2;
    changed[middle] ^= 1;
    world.with_task("cgt-changed");
    world.put(&Bytes::from(changed)).await?;
    world.with_task("cgt-cut");
    world.put(&host.video().slice(..middle)).await?;

    let (changed, cut, missing) = (
        ("cgt-changed", "has the SHA-256"),
        ("cgt-cut", "bytes, and had"),
        ("cgt-missing", "is missing"),
    );
    for (deep, expected) in [
        (true, &[changed, cut, missing][..]),
        (false, &[cut, missing]),
    ] {
        let found = problems(&world, deep).await?;
        let is_right = |(found, expected): (&String, &(&str, &str))| {
            found.contains(expected.0) && found.contains(expected.1)
        };
        ensure!(found.len() == expected.len(), "{found:?}");
        ensure!(found.iter().zip(expected).all(is_right), "{found:?}");
    }
    Ok(())
}

/// What is wrong with which receipts, in their order.
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
