//! Archives videos of different sizes.

use anyhow::ensure;

use crate::{
    fixture::{Fixture, LARGE, SMALL},
    host::Host,
    registry::register,
};

async fn a_small_video_is_archived(fixture: Fixture) -> anyhow::Result<()> {
    archive(fixture, SMALL).await
}
register!(a_small_video_is_archived);

async fn a_large_video_is_archived(fixture: Fixture) -> anyhow::Result<()> {
    archive(fixture, LARGE).await
}
register!(a_large_video_is_archived);

async fn archive(fixture: Fixture, padding: u32) -> anyhow::Result<()> {
    let host = Host::start(padding).await?;
    let manifest = fixture.archive_video(&host).await?;
    fixture.assert_archived(&manifest, &host).await
}

async fn a_second_archival_returns_the_same_receipt(fixture: Fixture) -> anyhow::Result<()> {
    let host = Host::start(SMALL).await?;
    let manifest = fixture.archive_video(&host).await?;
    let again = fixture.archive_video(&host).await?;
    ensure!(again == manifest, "{again:?} is not {manifest:?}");
    ensure!(host.offsets() == [0], "the video was downloaded again");
    fixture.assert_archived(&manifest, &host).await
}
register!(a_second_archival_returns_the_same_receipt);
