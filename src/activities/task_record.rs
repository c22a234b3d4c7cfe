//! The record of a task as it is archived: with the fields that do not travel.

use std::time::SystemTime;

use seedance_archiver_proto::v1::VideoTask;
use serde_json::Value;

use seedance_archiver_proto::time::from_unix_seconds;

use crate::{config::Account, seedance::Client};

/// The record as the service has it. Where it has none any more, the fields that the lifecycle knows: a
/// sealed URL is for workers alone.
pub(super) async fn ask(seedance: &Client, account: &Account, task: &VideoTask) -> Value {
    let created_at = from_unix_seconds(task.created_at);
    let now = SystemTime::now();
    if created_at.is_some_and(|created_at| !account.windows.is_closed(created_at, now)) {
        match seedance.query(&account.endpoint, &task.id).await {
            Ok(record) => return record.as_received(),
            Err(error) => tracing::info!(
                task_id = task.id,
                %error,
                "the record is stored as far as it is known, because it cannot be had"
            ),
        }
    }
    let known = VideoTask {
        content: None,
        archive_deadline: 0,
        ..task.clone()
    };
    serde_json::to_value(known).unwrap_or_default()
}
