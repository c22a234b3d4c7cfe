//! Archives the video of a task for which an outcome without a video was recorded earlier.

use anyhow::ensure;
use seedance_archiver_archive::receipt;
use seedance_archiver_proto::v1::OutcomeRecord;
use serde_json::json;

use crate::{
    fixture::{Fixture, SMALL},
    host::Host,
    registry::register,
};

async fn an_archival_replaces_a_recorded_outcome(fixture: Fixture) -> anyhow::Result<()> {
    let (archive, layout) = (&fixture.archive, fixture.layout());
    let outcome = OutcomeRecord {
        outcome: "lost".to_owned(),
        ..OutcomeRecord::default()
    };
    for status in ["queued", "running"] {
        let record = json!({ "id": fixture.task.id, "status": status }).to_string();
        receipt::write_outcome(archive, &layout, Some(&record), &outcome).await?;
        let names = fixture.names().await?;
        ensure!(names == ["outcome.json", "task.json"], "{names:?}");
    }
    let host = Host::start(SMALL).await?;
    let manifest = fixture.archive_video(&host).await?;
    fixture.assert_archived(&manifest, &host).await?;

    receipt::write_outcome(archive, &layout, Some("{}"), &outcome).await?;
    fixture.assert_archived(&manifest, &host).await
}
register!(an_archival_replaces_a_recorded_outcome);
