//! A video of a task that is in the archive as one without.

use anyhow::ensure;
use futures::FutureExt;
use seedance_archiver_archive::receipt;
use seedance_archiver_proto::v1::OutcomeRecord;
use serde_json::json;

use crate::{
    Behaviour,
    host::Host,
    store::Store,
    world::{SMALL, World},
};

pub(crate) fn behaviours() -> Vec<Behaviour> {
    vec![Behaviour {
        name: "a_deposit_takes_the_place_of_an_outcome",
        is_of: Store::any,
        run: |world| replaced(world).boxed(),
    }]
}

async fn replaced(world: World) -> anyhow::Result<()> {
    let (archive, layout) = (&world.archive, world.layout());
    let outcome = OutcomeRecord {
        outcome: "lost".to_owned(),
        ..OutcomeRecord::default()
    };
    for status in ["queued", "running"] {
        let record = json!({ "id": world.task.id, "status": status });
        receipt::write_outcome(archive, &layout, &record, &outcome).await?;
        let names = world.names().await?;
        ensure!(names == ["outcome.json", "task.json"], "{names:?}");
    }
    let host = Host::of(SMALL).await?;
    let manifest = world.deposit(&host).await?;
    world.holds(&manifest, &host).await?;

    receipt::write_outcome(archive, &layout, &json!({}), &outcome).await?;
    world.holds(&manifest, &host).await
}
