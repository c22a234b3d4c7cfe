//! Where in a store things are.

use anyhow::ensure;
use futures::{FutureExt, TryStreamExt};
use object_store::{ObjectStore, path::Path};
use seedance_archiver_archive::{ObjectOptions, audit};

use crate::{
    Behaviour,
    host::Host,
    store::Store,
    world::{LARGE, SIZES, SMALL, World},
};

/// Names that a store, a URL or a file system could take for something else.
const ODD: [&str; 8] = [
    "a b+c&d=e;f",
    "ü/é",
    "a%2Fb",
    "a\\b?c#d",
    "..",
    "a..",
    "\u{202e}\n~*'\"<>|:",
    "{task_id}",
];

pub(crate) fn behaviours() -> Vec<Behaviour> {
    vec![
        Behaviour {
            name: "names_are_escaped",
            is_of: Store::any,
            run: |world| escaped(world).boxed(),
        },
        Behaviour {
            name: "all_is_under_the_prefixes_of_url_and_account",
            is_of: Store::has_url,
            run: |world| prefixed(world).boxed(),
        },
    ]
}

async fn escaped(mut world: World) -> anyhow::Result<()> {
    let (small, large) = (Host::of(SMALL).await?, Host::of(LARGE).await?);
    for name in ODD {
        world.with_task(name);
        name.clone_into(&mut world.account);
        let manifest = world.deposit(&small).await?;
        world.holds(&manifest, &small).await?;
    }
    // A large one is staged, under another name.
    world.with_task(&ODD.concat());
    let manifest = world.deposit(&large).await?;
    world.holds(&manifest, &large).await?;

    let verified: Vec<_> = audit::verify(&world.archive, None, true)
        .try_collect()
        .await?;
    ensure!(verified.len() == ODD.len() + 1, "{verified:?}");
    ensure!(
        verified.iter().all(|it| it.findings.is_empty()),
        "{verified:?}"
    );
    Ok(())
}

async fn prefixed(mut world: World) -> anyhow::Result<()> {
    let place = format!("{}/team%20a/b", world.place);
    let options = ObjectOptions {
        prefix: Path::from("accounts/eu"),
        ..ObjectOptions::default()
    };
    let all = world.archive.clone();
    world.archive = world.store.open(&place, options)?;
    for filling in SIZES {
        world.with_task(&format!("cgt-{filling}"));
        let host = Host::of(filling).await?;
        let manifest = world.deposit(&host).await?;
        let id = &world.task.id;
        let url = format!("/{place}/accounts/eu/default/2025/07/18/{id}/manifest.json");
        ensure!(manifest.manifest_url.ends_with(&url), "{manifest:?}");
        world.holds(&manifest, &host).await?;
    }
    let verified: Vec<_> = audit::verify(&world.archive, None, true)
        .try_collect()
        .await?;
    ensure!(verified.len() == 2, "{verified:?}");

    let root = all.root.clone();
    let objects: Vec<_> = all.store.list(Some(&root)).try_collect().await?;
    let prefix = root
        .parts()
        .chain(Path::from("team a/b/accounts/eu/default/2025/07/18").parts())
        .collect::<Path>();
    let is_under = |key: &Path| key.prefix_matches(&prefix);
    ensure!(objects.len() == 6, "{objects:?}");
    ensure!(
        objects.iter().all(|it| is_under(&it.location)),
        "{objects:?}"
    );
    Ok(())
}
