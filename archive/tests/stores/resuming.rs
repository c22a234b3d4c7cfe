//! A deposit whose process dies half-way, and the process after it.

use anyhow::{Context, bail, ensure};
use futures::FutureExt;
use seedance_archiver_archive::{Buffers, PART_SIZE, Place, Progress};
use seedance_archiver_proto::v1::Manifest;
use serde_json::Value;

use crate::{
    Behaviour,
    host::Host,
    store::Store,
    until::{until, until_async},
    world::{LARGE, World},
};

/// In the third of four parts.
const HALF_WAY: usize = 2 * PART_SIZE + PART_SIZE / 2;

pub(crate) fn behaviours() -> Vec<Behaviour> {
    vec![
        Behaviour {
            name: "another_process_goes_on_with_an_upload",
            is_of: Store::has_upload_ids,
            run: |world| goes_on(world).boxed(),
        },
        Behaviour {
            name: "another_process_finds_an_upload_gone",
            is_of: |store| store == Store::S3, // The memory does not say plainly that one is gone.
            run: |world| is_gone(world).boxed(),
        },
        Behaviour {
            name: "another_process_starts_over",
            is_of: |store| !store.has_upload_ids(),
            run: |world| starts_over(world).boxed(),
        },
    ]
}

async fn goes_on(world: World) -> anyhow::Result<()> {
    let dead = Dead::half_way(world).await?;
    let offset = dead.offset()?;
    ensure!(offset > 0 && offset.is_multiple_of(PART_SIZE), "{offset}");
    let manifest = dead.followed_by_another(&[0, offset]).await?;
    let again = manifest.bytes_fetched_again as usize;
    ensure!(again == HALF_WAY - offset, "{again} after {offset}");
    Ok(())
}

async fn is_gone(world: World) -> anyhow::Result<()> {
    let dead = Dead::half_way(world).await?;
    let offset = dead.offset()?;
    dead.world.abandon(&dead.heartbeat()?).await;
    dead.world.has_nothing_left().await?;
    dead.followed_by_another(&[0, offset, 0]).await?;
    Ok(())
}

async fn starts_over(world: World) -> anyhow::Result<()> {
    let dead = Dead::half_way(world).await?;
    ensure!(dead.offset().is_err(), "{}", dead.heartbeat);
    dead.followed_by_another(&[0, 0]).await?;
    Ok(())
}

/// A process that died, and what it told last.
struct Dead {
    world: World,
    host: Host,
    heartbeat: String,
}

impl Dead {
    /// Nothing can be seen of what it has brought.
    async fn half_way(mut world: World) -> anyhow::Result<Self> {
        if world.store != Store::Memory {
            // One part at a time: where one is filled, the one before it is stored. The memory keeps
            // what it is given, and so the buffer.
            world.transfers.buffers = Buffers::new(1, PART_SIZE);
        }
        let host = Host::of(LARGE).await?;
        host.stop_at(HALF_WAY);
        let progress = Progress::default();
        let is_half_way = || progress.place().done == HALF_WAY as u64;
        tokio::select! {
            ended = world.attempt(1, &host, &progress) => bail!("it ended too early: {ended:?}"),
            waited = until("half of it came", is_half_way) => waited?,
        }
        let names = world.names().await?;
        ensure!(names == ["task.json"], "{names:?}");
        host.let_go();
        Ok(Self {
            world,
            host,
            heartbeat: serde_json::to_string(&progress.place())?,
        })
    }

    fn heartbeat(&self) -> anyhow::Result<Progress> {
        let place: Place = serde_json::from_str(&self.heartbeat)?;
        Ok(Progress::from(place))
    }

    /// Where another process can go on.
    fn offset(&self) -> anyhow::Result<usize> {
        let place: Value = serde_json::from_str(&self.heartbeat)?;
        let offset = place["checkpoint"]["source"]["offset"].as_u64();
        Ok(offset.context("there is no checkpoint")?.try_into()?)
    }

    /// One that asks the host for the rest from there, and ends well.
    async fn followed_by_another(&self, starts: &[usize]) -> anyhow::Result<Manifest> {
        let manifest = self
            .world
            .attempt(2, &self.host, &self.heartbeat()?)
            .await?;
        ensure!(self.host.starts() == starts, "{:?}", self.host.starts());
        // What is dropped cleans up behind itself, which takes its time.
        until_async("nothing is left", async || {
            Ok(self.world.has_nothing_left().await.is_ok())
        })
        .await?;
        self.world.holds(&manifest, &self.host).await?;
        Ok(manifest)
    }
}
