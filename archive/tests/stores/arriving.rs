//! Videos arrive whole.

use anyhow::ensure;
use futures::FutureExt;

use crate::{
    Behaviour,
    host::Host,
    store::Store,
    world::{LARGE, SMALL, World},
};

pub(crate) fn behaviours() -> Vec<Behaviour> {
    vec![
        Behaviour {
            name: "a_small_video_arrives_whole",
            is_of: Store::any,
            run: |world| arrives(world, SMALL).boxed(),
        },
        Behaviour {
            name: "a_large_video_arrives_whole",
            is_of: Store::any,
            run: |world| arrives(world, LARGE).boxed(),
        },
        Behaviour {
            name: "a_second_deposit_gets_the_same_receipt",
            is_of: Store::any,
            run: |world| twice(world).boxed(),
        },
    ]
}

async fn arrives(world: World, filling: u32) -> anyhow::Result<()> {
    let host = Host::of(filling).await?;
    let manifest = world.deposit(&host).await?;
    world.holds(&manifest, &host).await
}

async fn twice(world: World) -> anyhow::Result<()> {
    let host = Host::of(SMALL).await?;
    let manifest = world.deposit(&host).await?;
    let again = world.deposit(&host).await?;
    ensure!(again == manifest, "{again:?} is not {manifest:?}");
    ensure!(host.starts() == [0], "it was fetched again");
    world.holds(&manifest, &host).await
}
