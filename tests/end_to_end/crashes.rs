//! Workers that die.

use std::sync::Arc;

use anyhow::{Context, ensure};
use seedance_archiver_simulator::Script;

use crate::{
    Suite,
    world::{Server, World, until},
};

pub(crate) fn tests(suite: Suite) -> Suite {
    suite.test(
        "crashes::another_worker_finishes_what_a_killed_one_began",
        killed_mid_download,
    )
}

async fn killed_mid_download(server: Arc<Server>) -> anyhow::Result<()> {
    let world = World::new(&server).await?;
    let id = world.simulator.create(Script {
        bytes: Some(20_000_000),
        bytes_per_second: Some(5_000_000),
        ..Script::default()
    });
    let mut first = world.spawn_worker(&server)?;
    let lifecycle = world.start(&server, &id).await?;
    let sent = || world.simulator.stats(&id).bytes_sent;
    until("the download is under way", || sent() > 5_000_000).await?;
    first.kill().await?;
    ensure!(
        sent() < 20_000_000,
        "the download was over before the worker was killed"
    );

    let result = world
        .with_worker(&server, async { Ok(lifecycle.result().await?) })
        .await?;
    ensure!(result.outcome == "archived", "{result:?}");
    let manifest = result.manifest.context("no receipt")?;
    ensure!(
        world.simulator.stats(&id).downloads == 2,
        "{:?}",
        world.simulator.stats(&id)
    );
    world.holds_exactly(&id, &manifest)
}
