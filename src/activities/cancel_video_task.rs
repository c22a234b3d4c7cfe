//! `CancelVideoTask`: cancels a task upstream, while it is queued.

use seedance_archiver_proto::{status, v1::CancelVideoTaskResult};
use temporalio_sdk::activities::ActivityError;

use super::failure;
use crate::{
    config::Account,
    seedance::{self, Client},
};

/// Asks first: the call that cancels a queued task deletes the record of one that has ended.
pub(super) async fn cancel(
    seedance: &Client,
    account: &Account,
    task_id: &str,
) -> Result<CancelVideoTaskResult, ActivityError> {
    let failed =
        |error: seedance::Error| failure::retried(error.to_string(), error.failure_type(), RETRY);
    let record = seedance.query(account, task_id).await.map_err(failed)?;
    let is_queued = record.status() == status::QUEUED;
    if is_queued {
        seedance.cancel(account, task_id).await.map_err(failed)?;
        tracing::info!(task_id, "cancelled the task");
    }
    Ok(CancelVideoTaskResult {
        is_cancelled: is_queued,
        status: record.status().to_owned(),
    })
}

/// Time between two attempts. They end soon, because a lifecycle waits for them to end itself.
const RETRY: std::time::Duration = std::time::Duration::from_secs(2);
