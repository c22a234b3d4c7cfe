//! Writes receipts and archives videos concurrently.

use anyhow::{Context, ensure};
use seedance_archiver_archive::receipt;
use seedance_archiver_proto::v1::{ArchivedObject, Manifest};

use crate::{
    fixture::{Fixture, PADDINGS},
    host::Host,
    registry::register,
    until::until,
};

/// Number of rounds. Usually, each of the two writers then wins at least once.
const ROUNDS: usize = 10;

async fn only_one_of_two_concurrent_receipts_is_written(
    mut fixture: Fixture,
) -> anyhow::Result<()> {
    for round in 0..ROUNDS {
        fixture.set_task(&format!("cgt-{round}"));
        let layout = fixture.layout();
        let write = async |host: &str| {
            let manifest = Manifest {
                task_id: fixture.task.id.clone(),
                source_host: host.to_owned(),
                objects: vec![ArchivedObject {
                    name: "video.mp4".to_owned(),
                    ..ArchivedObject::default()
                }],
                ..Manifest::default()
            };
            receipt::write(&fixture.archive, &layout, manifest).await
        };
        let (one, other) = tokio::try_join!(write("one"), write("other"))?;
        ensure!(one == other, "{one:?} and {other:?}");
        let late = write("late").await?;
        ensure!(late == one, "{late:?} and {one:?}");
        let stored = receipt::find(&fixture.archive, &layout.manifest()).await?;
        ensure!(stored.as_ref() == Some(&one), "{stored:?} and {one:?}");
    }
    Ok(())
}
register!(only_one_of_two_concurrent_receipts_is_written);

/// Both archivals end at the same time: the host withholds the last byte until both downloads started.
async fn two_concurrent_archivals_return_one_receipt(mut fixture: Fixture) -> anyhow::Result<()> {
    for padding in PADDINGS {
        fixture.set_task(&format!("cgt-{padding}"));
        let host = Host::start(padding).await?;
        host.pause_at(host.video().len() - 1);
        let both_started = async {
            until("both downloads started", || host.offsets() == [0, 0]).await?;
            host.resume();
            Ok(())
        };
        let archive = async || fixture.archive_video(&host).await.context("an archival");
        let (one, other, ()) = tokio::try_join!(archive(), archive(), both_started)?;
        ensure!(one == other, "{one:?} and {other:?}");
        fixture.assert_archived(&one, &host).await?;
    }
    Ok(())
}
register!(two_concurrent_archivals_return_one_receipt);
