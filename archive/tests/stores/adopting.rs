//! An object that is there before its receipt.

use anyhow::{bail, ensure};
use futures::FutureExt;
use object_store::ObjectStoreExt;
use seedance_archiver_archive::Error;
use sha2::{Digest, Sha256};

use crate::{
    Behaviour,
    host::Host,
    store::Store,
    world::{SIZES, World},
};

pub(crate) fn behaviours() -> Vec<Behaviour> {
    vec![
        Behaviour {
            name: "the_same_bytes_are_adopted",
            is_of: Store::any,
            run: |world| same(world).boxed(),
        },
        Behaviour {
            name: "other_bytes_are_a_conflict_and_stay",
            is_of: Store::any,
            run: |world| others(world).boxed(),
        },
    ]
}

async fn same(mut world: World) -> anyhow::Result<()> {
    for filling in SIZES {
        world.with_task(&format!("cgt-{filling}"));
        let host = Host::of(filling).await?;
        let before = world.put(host.video()).await?;
        let manifest = world.deposit(&host).await?;
        let after = world.archive.store.head(&world.video_key()).await?;
        ensure!(after == before, "{after:?} is not {before:?}");
        world.holds(&manifest, &host).await?;
    }
    Ok(())
}

async fn others(mut world: World) -> anyhow::Result<()> {
    for filling in SIZES {
        world.with_task(&format!("cgt-{filling}"));
        let host = Host::of(filling).await?;
        let mut bytes = host.video().to_vec();
        bytes.extend_from_slice(b"\0\0\0\x08free");
        let others = bytes.into();
        let before = world.put(&others).await?;
        let sha256 = |bytes: &[u8]| hex::encode(Sha256::digest(bytes));
        match world.deposit(&host).await {
            Err(Error::Conflict {
                name,
                archived,
                new,
            }) => {
                ensure!(name == "video.mp4", "{name}");
                ensure!(archived == sha256(&others), "{archived}");
                ensure!(new == sha256(host.video()), "{new}");
            }
            Err(error) => bail!("not a conflict: {error}"),
            Ok(manifest) => bail!("no conflict: {manifest:?}"),
        }
        let after = world.archive.store.head(&world.video_key()).await?;
        ensure!(after == before, "{after:?} is not {before:?}");
        ensure!(world.read("video.mp4").await? == others, "it was changed");
        let names = world.names().await?;
        ensure!(names == ["task.json", "video.mp4"], "{names:?}");
        world.has_nothing_left().await?;
    }
    Ok(())
}
