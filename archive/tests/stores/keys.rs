//! The keys of objects.

use anyhow::ensure;
use futures::TryStreamExt;
use object_store::{ObjectStore, path::Path};
use seedance_archiver_archive::{ObjectOptions, audit};

use crate::{
    host::Host,
    registry::register,
    store::Store,
    world::{LARGE, PADDINGS, SMALL, World},
};

/// Names with characters that are special to a store, a URL or a file system.
const SPECIAL_NAMES: [&str; 8] = [
    "a b+c&d=e;f",
    "ü/é",
    "a%2Fb",
    "a\\b?c#d",
    "..",
    "a..",
    "\u{202e}\n~*'\"<>|:",
    "{task_id}",
];

async fn names_are_escaped(mut world: World) -> anyhow::Result<()> {
    let (small, large) = (Host::new(SMALL).await?, Host::new(LARGE).await?);
    for name in SPECIAL_NAMES {
        world.set_task(name);
        name.clone_into(&mut world.account);
        let manifest = world.archive_video(&small).await?;
        world.assert_archived(&manifest, &small).await?;
    }
    // A large object is staged under another key first.
    world.set_task(&SPECIAL_NAMES.concat());
    let manifest = world.archive_video(&large).await?;
    world.assert_archived(&manifest, &large).await?;

    let verified: Vec<_> = audit::verify(&world.archive, None, true)
        .try_collect()
        .await?;
    ensure!(verified.len() == SPECIAL_NAMES.len() + 1, "{verified:?}");
    ensure!(
        verified.iter().all(|it| it.findings.is_empty()),
        "{verified:?}"
    );
    Ok(())
}
register!(names_are_escaped);

async fn all_keys_have_the_prefixes_of_url_and_account(mut world: World) -> anyhow::Result<()> {
    let prefix = format!("{}/team%20a/b", world.prefix);
    let options = ObjectOptions {
        prefix: Path::from("accounts/eu"),
        ..ObjectOptions::default()
    };
    let whole_archive = world.archive.clone();
    world.archive = world.store.open(&prefix, options)?;
    for padding in PADDINGS {
        world.set_task(&format!("cgt-{padding}"));
        let host = Host::new(padding).await?;
        let manifest = world.archive_video(&host).await?;
        let id = &world.task.id;
        let url = format!("/{prefix}/accounts/eu/default/2025/07/18/{id}/manifest.json");
        ensure!(manifest.manifest_url.ends_with(&url), "{manifest:?}");
        world.assert_archived(&manifest, &host).await?;
    }
    let verified: Vec<_> = audit::verify(&world.archive, None, true)
        .try_collect()
        .await?;
    ensure!(verified.len() == 2, "{verified:?}");

    let root = whole_archive.root.clone();
    let objects: Vec<_> = whole_archive.store.list(Some(&root)).try_collect().await?;
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
register!(
    all_keys_have_the_prefixes_of_url_and_account,
    Store::has_url
);
