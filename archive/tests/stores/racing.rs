//! Two at once.

use anyhow::{Context, ensure};
use futures::FutureExt;
use seedance_archiver_archive::receipt;
use seedance_archiver_proto::v1::Manifest;

use crate::{
    Behaviour,
    host::Host,
    store::Store,
    until::until,
    world::{SIZES, World},
};

/// Enough that both may win.
const ROUNDS: usize = 10;

pub(crate) fn behaviours() -> Vec<Behaviour> {
    vec![
        Behaviour {
            name: "of_two_receipts_at_once_one_counts",
            is_of: Store::any,
            run: |world| receipts(world).boxed(),
        },
        Behaviour {
            name: "two_deposits_at_once_get_one_receipt",
            is_of: Store::any,
            run: |world| deposits(world).boxed(),
        },
    ]
}

async fn receipts(mut world: World) -> anyhow::Result<()> {
    for round in 0..ROUNDS {
        world.with_task(&format!("cgt-{round}"));
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

/// Both come to the end together, because the host keeps that back until it was asked twice.
async fn deposits(mut world: World) -> anyhow::Result<()> {
    for filling in SIZES {
        world.with_task(&format!("cgt-{filling}"));
        let host = Host::of(filling).await?;
        host.stop_at(host.video().len() - 1);
        let both_are_there = async {
            until("both ask the host", || host.starts() == [0, 0]).await?;
            host.let_go();
            Ok(())
        };
        let deposit = async || world.deposit(&host).await.context("a deposit");
        let (one, other, ()) = tokio::try_join!(deposit(), deposit(), both_are_there)?;
        ensure!(one == other, "{one:?} and {other:?}");
        world.holds(&one, &host).await?;
    }
    Ok(())
}
