//! Archives into stores whose copies fail.

use std::sync::Arc;

use anyhow::ensure;
use seedance_archiver_archive::{Error, Progress};

use crate::{
    breaking_store::BreakingStore,
    fixture::{Fixture, LARGE, SMALL},
    host::Host,
    registry::register,
};

async fn a_failed_copy_leaves_no_staged_object(mut fixture: Fixture) -> anyhow::Result<()> {
    // Proves the store before its copies fail.
    fixture.archive_video(&Host::start(SMALL).await?).await?;
    fixture.set_task("cgt-copy");
    let store = BreakingStore::new(fixture.archive.store.clone(), &[]);
    fixture.archive.store = Arc::new(store.without_copies());
    let host = Host::start(LARGE).await?;
    for number in 1..=3 {
        let failed = fixture.attempt(number, &host, &Progress::default()).await;
        ensure!(matches!(failed, Err(Error::Store(_))), "{failed:?}");
        fixture.assert_no_leftovers().await?;
    }
    let names = fixture.names().await?;
    ensure!(names == ["task.json"], "{names:?}");
    Ok(())
}
register!(a_failed_copy_leaves_no_staged_object, |store| !store
    .has_upload_ids());
