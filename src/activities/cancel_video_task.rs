//! `CancelVideoTask`: cancels a task upstream, while it is queued.

use seedance_archiver_proto::{status, v1::CancelVideoTaskResult};
use temporalio_sdk::activities::ActivityError;

use super::{failure, query_video_task::contract};
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
    if record.status() == status::QUEUED {
        seedance.cancel(account, task_id).await.map_err(failed)?;
        tracing::info!(task_id, "cancelled the task");
    }
    Ok(CancelVideoTaskResult {
        // An attempt before this one may have cancelled it, and not have heard of it.
        is_cancelled: [status::QUEUED, status::CANCELLED].contains(&record.status()),
        task: Some(contract(account, record).map_err(failed)?),
    })
}

/// Time between two attempts. They end soon, because a lifecycle waits for them to end itself.
const RETRY: std::time::Duration = std::time::Duration::from_secs(2);
