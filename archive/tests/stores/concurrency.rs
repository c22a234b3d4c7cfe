//! Concurrent writers and archivals.

use anyhow::{Context, ensure};
use seedance_archiver_archive::receipt;
use seedance_archiver_proto::v1::Manifest;

use crate::{
    host::Host,
    registry::register,
    until::until,
    world::{PADDINGS, World},
};

/// Enough for each of the two to win at least once, usually.
const ROUNDS: usize = 10;

async fn of_two_concurrent_receipts_one_is_written(mut world: World) -> anyhow::Result<()> {
    for round in 0..ROUNDS {
        world.set_task(&format!("cgt-{round}"));
        let key = world.layout().manifest();
        let write = async |host: &str| {
            let manifest = Manifest {
                source_host: host.to_owned(),
                ..Manifest::default()
            };
            receipt::write(&world.archive, &key, manifest).await
        };
        let (one, other) = tokio::try_join!(write("one"), write("other"))?;
        ensure!(one == other, "{one:?} and {other:?}");
        let late = write("late").await?;
        ensure!(late == one, "{late:?} and {one:?}");
        let stored = receipt::find(&world.archive, &key).await?;
        ensure!(stored.as_ref() == Some(&one), "{stored:?} and {one:?}");
    }
    Ok(())
}
register!(of_two_concurrent_receipts_one_is_written);

/// Both archivals end at the same time: the host holds the last byte back until both downloads have started.
async fn two_concurrent_archivals_return_one_receipt(mut world: World) -> anyhow::Result<()> {
    for padding in PADDINGS {
        world.set_task(&format!("cgt-{padding}"));
        let host = Host::new(padding).await?;
        host.pause_at(host.video().len() - 1);
        let both_have_started = async {
            until("both downloads have started", || host.offsets() == [0, 0]).await?;
            host.resume();
            Ok(())
        };
        let archive = async || world.archive_video(&host).await.context("an archival");
        let (one, other, ()) = tokio::try_join!(archive(), archive(), both_have_started)?;
        ensure!(one == other, "{one:?} and {other:?}");
        world.assert_archived(&one, &host).await?;
    }
    Ok(())
}
register!(two_concurrent_archivals_return_one_receipt);
