//! Archives into stores whose responses are lost, although they wrote the objects.

use std::sync::Arc;

use anyhow::ensure;
use seedance_archiver_proto::v1::Manifest;

use crate::{
    breaking_store::BreakingStore,
    fixture::{Fixture, PADDINGS},
    host::Host,
    registry::register,
    store::Store,
};

async fn an_object_whose_response_was_lost_is_adopted(mut fixture: Fixture) -> anyhow::Result<()> {
    let store = fixture.archive.store.clone();
    for padding in PADDINGS {
        for name in ["video.mp4", "manifest.json"] {
            fixture.set_task(&format!("cgt-{padding}-{name}"));
            let losing = BreakingStore::new(store.clone(), &[]).without_responses(name);
            fixture.archive.store = Arc::new(losing);
            let host = Host::start(padding).await?;
            let manifest = fixture.archive_video(&host).await?;
            ensure!(host.offsets() == [0], "{:?}", host.offsets());
            let stored: Manifest = serde_json::from_slice(&fixture.read("manifest.json").await?)?;
            ensure!(stored == manifest, "{stored:?} is not {manifest:?}");
            let video = fixture.read("video.mp4").await?;
            ensure!(video == host.video(), "another video was archived");
        }
    }
    Ok(())
}
// The responses of a bucket that completes uploads to final keys do not pass through `BreakingStore`.
register!(
    an_object_whose_response_was_lost_is_adopted,
    |store| matches!(store, Store::Memory | Store::File)
);
