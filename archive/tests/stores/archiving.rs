//! Videos are archived completely.

use anyhow::ensure;

use crate::{
    host::Host,
    registry::register,
    world::{LARGE, SMALL, World},
};

async fn a_small_video_is_archived(world: World) -> anyhow::Result<()> {
    is_archived(world, SMALL).await
}
register!(a_small_video_is_archived);

async fn a_large_video_is_archived(world: World) -> anyhow::Result<()> {
    is_archived(world, LARGE).await
}
register!(a_large_video_is_archived);

async fn is_archived(world: World, padding: u32) -> anyhow::Result<()> {
    let host = Host::new(padding).await?;
    let manifest = world.archive_video(&host).await?;
    world.assert_archived(&manifest, &host).await
}

async fn a_second_archival_returns_the_same_receipt(world: World) -> anyhow::Result<()> {
    let host = Host::new(SMALL).await?;
    let manifest = world.archive_video(&host).await?;
    let again = world.archive_video(&host).await?;
    ensure!(again == manifest, "{again:?} is not {manifest:?}");
    ensure!(host.offsets() == [0], "the video was downloaded again");
    world.assert_archived(&manifest, &host).await
}
register!(a_second_archival_returns_the_same_receipt);
