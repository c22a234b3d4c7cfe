//! Finds the receipt of a task of which only the id is known.

use std::time::{Duration, SystemTime};

use anyhow::ensure;
use object_store::{ObjectStoreExt, path::Path};
use seedance_archiver_archive::{
    KeyTemplate,
    lookup::{TaskId, find_receipt},
};
use serde_json::json;

use crate::{fixture::Fixture, registry::register};

/// 2025-07-18T14:48:24Z.
const CREATED_AT: Duration = Duration::from_secs(1_752_850_104);

async fn a_receipt_is_found_by_the_id_of_its_task(fixture: Fixture) -> anyhow::Result<()> {
    for (id, template, directory) in [
        (
            "cgt-1",
            "{account}/{created:%Y/%m/%d}/{task_id}",
            "eu/2025/07/18/cgt-1",
        ),
        // The creation time in the record differs from that in the id by a time zone.
        (
            "cgt-2",
            "{account}/{created:%Y/%m/%d}/{task_id}",
            "eu/2025/07/19/cgt-2",
        ),
        (
            "cgt-3",
            "{account}/{created:%F/%H}/{task_id}",
            "eu/2025-07-18/06/cgt-3",
        ),
        (
            "cgt-4",
            "{account}/{created:%Y}/{task_id}",
            "eu/undated/cgt-4",
        ),
        (
            "cgt-5",
            "{model}/day={created:%F}/{task_id}",
            "seedance-1-5/day=2025-07-18/cgt-5",
        ),
        (
            "cgt-6",
            "{account}/{task_id}.{model}",
            "eu/cgt-6.seedance-1-5",
        ),
    ] {
        let template: KeyTemplate = template.parse()?;
        let task = TaskId {
            account: "eu",
            id,
            created_at: Some(SystemTime::UNIX_EPOCH + CREATED_AT),
        };
        let found = find_receipt(&fixture.archive, &template, task).await?;
        ensure!(found.is_none(), "{id}: {found:?}");
        let key: Path = fixture
            .archive
            .root
            .parts()
            .chain(Path::from(directory).parts())
            .collect();
        let receipt =
            json!({ "task_id": id, "account": "eu", "objects": [{ "name": "video.mp4" }] });
        let key = key.join("manifest.json");
        let store = &fixture.archive.store;
        store.put(&key, receipt.to_string().into()).await?;
        let found = find_receipt(&fixture.archive, &template, task).await?;
        ensure!(
            found.is_some_and(|it| it.task_id == id),
            "{id} was not found"
        );
        let other = TaskId {
            id: "cgt-7",
            ..task
        };
        let found = find_receipt(&fixture.archive, &template, other).await?;
        ensure!(found.is_none(), "{id} was found for another task");
    }
    Ok(())
}
register!(a_receipt_is_found_by_the_id_of_its_task);
