//! Archives a video whose key exists, but whose receipt does not.

use anyhow::{bail, ensure};
use object_store::ObjectStoreExt;
use seedance_archiver_archive::Error;
use sha2::{Digest, Sha256};

use crate::{
    fixture::{Fixture, PADDINGS},
    host::Host,
    registry::register,
};

async fn identical_bytes_are_adopted(mut fixture: Fixture) -> anyhow::Result<()> {
    for padding in PADDINGS {
        fixture.set_task(&format!("cgt-{padding}"));
        let host = Host::start(padding).await?;
        let before = fixture.put(host.video()).await?;
        let manifest = fixture.archive_video(&host).await?;
        let after = fixture.archive.store.head(&fixture.video_key()).await?;
        ensure!(after == before, "{after:?} is not {before:?}");
        fixture.assert_archived(&manifest, &host).await?;
    }
    Ok(())
}
register!(identical_bytes_are_adopted);

async fn different_bytes_are_a_conflict_and_are_not_replaced(
    mut fixture: Fixture,
) -> anyhow::Result<()> {
    for padding in PADDINGS {
        fixture.set_task(&format!("cgt-{padding}"));
        let host = Host::start(padding).await?;
        let mut bytes = host.video().to_vec();
        bytes.extend_from_slice(b"\0\0\0\x08free");
        let other_bytes = bytes.into();
        let before = fixture.put(&other_bytes).await?;
        let sha256 = |bytes: &[u8]| hex::encode(Sha256::digest(bytes));
        match fixture.archive_video(&host).await {
            Err(Error::Conflict {
                name,
                archived,
                new,
            }) => {
                ensure!(name == "video.mp4", "{name}");
                ensure!(archived == sha256(&other_bytes), "{archived}");
                ensure!(new == sha256(host.video()), "{new}");
            }
            Err(error) => bail!("expected a conflict: {error}"),
            Ok(manifest) => bail!("expected a conflict: {manifest:?}"),
        }
        let after = fixture.archive.store.head(&fixture.video_key()).await?;
        ensure!(after == before, "{after:?} is not {before:?}");
        ensure!(
            fixture.read("video.mp4").await? == other_bytes,
            "the object changed"
        );
        let names = fixture.names().await?;
        ensure!(names == ["task.json", "video.mp4"], "{names:?}");
        fixture.assert_no_leftovers().await?;
    }
    Ok(())
}
register!(different_bytes_are_a_conflict_and_are_not_replaced);
