//! A video of a task whose outcome without a video was recorded before.

use anyhow::ensure;
use seedance_archiver_archive::receipt;
use seedance_archiver_proto::v1::OutcomeRecord;
use serde_json::json;

use crate::{
    host::Host,
    registry::register,
    world::{SMALL, World},
};

async fn an_archival_replaces_an_outcome(world: World) -> anyhow::Result<()> {
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
    let host = Host::new(SMALL).await?;
    let manifest = world.archive_video(&host).await?;
    world.assert_archived(&manifest, &host).await?;

    receipt::write_outcome(archive, &layout, &json!({}), &outcome).await?;
    world.assert_archived(&manifest, &host).await
}
register!(an_archival_replaces_an_outcome);
