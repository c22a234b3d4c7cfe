//! The content of `task.json`.

use seedance_archiver_policy::poll;
use seedance_archiver_proto::{time::from_unix_seconds, v1::VideoTask};

use crate::{config::Account, seedance::Client};

/// Returns the complete current record from the API, including the fields that workflows do not carry. If the
/// task cannot be queried, or the API returns an earlier record, returns the fields of the lifecycle.
pub(super) async fn fetch(seedance: &Client, account: &Account, task: &VideoTask) -> String {
    let created_at = from_unix_seconds(task.created_at);
    let _hold = seedance.clock().hold().await;
    let now = seedance.clock().now();
    let until_closed = |created_at| account.windows.until_closed(created_at, now);
    let left = created_at.map(until_closed).unwrap_or_default();
    if !left.is_zero() {
        let query = seedance.query_patiently(&account.endpoint, &task.id, left);
        match query.await {
            Ok(record) if poll::is_later_status(&task.status, record.status()) => tracing::info!(
                task_id = task.id,
                status = record.status(),
                "the API returned an earlier record; storing the known fields in task.json"
            ),
            Ok(record) => return record.as_received().to_owned(),
            Err(error) => tracing::info!(
                task_id = task.id,
                %error,
                "cannot query the record for task.json; storing the known fields"
            ),
        }
    }
    // Sealed URLs are for workers only, not for the archive.
    let known = VideoTask {
        content: None,
        archive_deadline: 0,
        ..task.clone()
    };
    serde_json::to_string_pretty(&known).unwrap_or_default()
}
