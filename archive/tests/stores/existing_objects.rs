//! An object that exists before its receipt.

use anyhow::{bail, ensure};
use object_store::ObjectStoreExt;
use seedance_archiver_archive::Error;
use sha2::{Digest, Sha256};

use crate::{
    host::Host,
    registry::register,
    world::{PADDINGS, World},
};

async fn identical_bytes_are_adopted(mut world: World) -> anyhow::Result<()> {
    for padding in PADDINGS {
        world.set_task(&format!("cgt-{padding}"));
        let host = Host::new(padding).await?;
        let before = world.put(host.video()).await?;
        let manifest = world.archive_video(&host).await?;
        let after = world.archive.store.head(&world.video_key()).await?;
        ensure!(after == before, "{after:?} is not {before:?}");
        world.assert_archived(&manifest, &host).await?;
    }
    Ok(())
}
register!(identical_bytes_are_adopted);

async fn different_bytes_are_a_conflict_and_stay(mut world: World) -> anyhow::Result<()> {
    for padding in PADDINGS {
        world.set_task(&format!("cgt-{padding}"));
        let host = Host::new(padding).await?;
        let mut bytes = host.video().to_vec();
        bytes.extend_from_slice(b"\0\0\0\x08free");
        let other_bytes = bytes.into();
        let before = world.put(&other_bytes).await?;
        let sha256 = |bytes: &[u8]| hex::encode(Sha256::digest(bytes));
        match world.archive_video(&host).await {
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
        let after = world.archive.store.head(&world.video_key()).await?;
        ensure!(after == before, "{after:?} is not {before:?}");
        ensure!(
            world.read("video.mp4").await? == other_bytes,
            "the object has changed"
        );
        let names = world.names().await?;
        ensure!(names == ["task.json", "video.mp4"], "{names:?}");
        world.assert_no_leftovers().await?;
    }
    Ok(())
}
register!(different_bytes_are_a_conflict_and_stay);
