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
    ensure!(!receipt::has_outcome(archive, &layout).await?);
    let found = receipt::find_outcome(archive, &layout).await?;
    ensure!(found.is_none(), "{found:?}");
    // Even the record of a long prompt is read, and so replaced.
    for (status, length) in [("queued", 7), ("running", 2 << 20)] {
        let prompt = "x".repeat(length);
        let record = json!({ "id": fixture.task.id, "status": status, "prompt": prompt });
        let record = record.to_string();
        receipt::write_outcome(archive, &layout, Some(&record), &outcome).await?;
        ensure!(fixture.read("task.json").await? == record);
        ensure!(receipt::has_outcome(archive, &layout).await?);
        let found = receipt::find_outcome(archive, &layout).await?;
        ensure!(found.as_ref() == Some(&outcome), "{found:?}");
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
