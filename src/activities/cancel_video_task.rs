//! `CancelVideoTask`: cancels a task upstream, while it is queued.

use seedance_archiver_proto::{status, v1::CancelVideoTaskResult};
use temporalio_sdk::activities::ActivityError;

use super::failure;
use crate::{activities::task_query::Questions, config::Account, seedance};

/// Asks first: the call that cancels a queued task deletes the record of one that has ended.
pub(super) async fn cancel(
    questions: &Questions,
    account: &Account,
    task_id: &str,
) -> Result<CancelVideoTaskResult, ActivityError> {
    let failed =
        |error: seedance::Error| failure::retried(error.to_string(), error.failure_type(), RETRY);
    let task = questions.ask(account, task_id).await.map_err(failed)?;
    if task.status == status::QUEUED {
        let seedance = questions.seedance();
        seedance
            .cancel(&account.endpoint, task_id)
            .await
            .map_err(failed)?;
        tracing::info!(task_id, "cancelled the task");
    }
    Ok(CancelVideoTaskResult {
        // An attempt before this one may have cancelled it, and not have heard of it.
        is_cancelled: [status::QUEUED, status::CANCELLED].contains(&task.status.as_str()),
        task: Some(questions.result(task)),
    })
}

/// Time between two attempts. They end soon, because a lifecycle waits for them to end itself.
const RETRY: std::time::Duration = std::time::Duration::from_secs(2);
