//! Archives videos under unusual keys and prefixes.

use anyhow::ensure;
use futures::TryStreamExt;
use object_store::{ObjectStore, path::Path};
use seedance_archiver_archive::{ObjectOptions, audit};

use crate::{
    fixture::{Fixture, LARGE, PADDINGS, SMALL},
    host::Host,
    registry::register,
    store::Store,
};

/// Names with characters that are special in a store, a URL or a file system.
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

async fn special_characters_in_names_are_escaped(mut fixture: Fixture) -> anyhow::Result<()> {
    let (small, large) = (Host::start(SMALL).await?, Host::start(LARGE).await?);
    for name in SPECIAL_NAMES {
        fixture.set_task(name);
        name.clone_into(&mut fixture.account);
        let manifest = fixture.archive_video(&small).await?;
        fixture.assert_archived(&manifest, &small).await?;
    }
    // A large object is first staged under another key.
    fixture.set_task(&SPECIAL_NAMES.concat());
    let manifest = fixture.archive_video(&large).await?;
    fixture.assert_archived(&manifest, &large).await?;

    let verified: Vec<_> = audit::verify(&fixture.archive, None, true)
        .try_collect()
        .await?;
    ensure!(verified.len() == SPECIAL_NAMES.len() + 1, "{verified:?}");
    ensure!(
        verified.iter().all(|it| it.findings.is_empty()),
        "{verified:?}"
    );
    Ok(())
}
register!(special_characters_in_names_are_escaped);

async fn all_keys_have_the_prefixes_of_the_url_and_the_account(
    mut fixture: Fixture,
) -> anyhow::Result<()> {
    let prefix = format!("{}/team%20a/b", fixture.prefix);
    let options = ObjectOptions {
        prefix: Path::from("accounts/eu"),
        ..ObjectOptions::default()
    };
    let scenario_archive = fixture.archive.clone();
    fixture.archive = fixture.store.open(&prefix, options)?;
    for padding in PADDINGS {
        fixture.set_task(&format!("cgt-{padding}"));
        let host = Host::start(padding).await?;
        let manifest = fixture.archive_video(&host).await?;
        let id = &fixture.task.id;
        let url = format!("/{prefix}/accounts/eu/default/2025/07/18/{id}/manifest.json");
        ensure!(manifest.manifest_url.ends_with(&url), "{manifest:?}");
        fixture.assert_archived(&manifest, &host).await?;
    }
    let verified: Vec<_> = audit::verify(&fixture.archive, None, true)
        .try_collect()
        .await?;
    ensure!(verified.len() == 2, "{verified:?}");

    let root = scenario_archive.root.clone();
    let objects: Vec<_> = scenario_archive
        .store
        .list(Some(&root))
        .try_collect()
        .await?;
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
    all_keys_have_the_prefixes_of_the_url_and_the_account,
    Store::has_url
);
