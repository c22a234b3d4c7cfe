//! `CancelVideoTask`: cancels a queued task at the service.

use std::{sync::Arc, time::Duration};

use seedance_archiver_proto::{
    status,
    v1::{CancelVideoTaskRequest, CancelVideoTaskResult},
};
use temporalio_sdk::activities::ActivityError;

use super::{checked_request::CheckedRequest, failure, task_queries::TaskQueries};
use crate::{config::Account, seedance};

/// Delay between two attempts. It is short, because a lifecycle that is being cancelled waits for the result.
const RETRY_DELAY: Duration = Duration::from_secs(2);

type Call = CheckedRequest<CancelVideoTaskRequest, Arc<Account>>;

pub(super) async fn run(
    queries: &TaskQueries,
    call: Call,
) -> Result<CancelVideoTaskResult, ActivityError> {
    let (account, task_id) = (&call.account, &call.request.task_id);
    // The call that cancels a queued task deletes the record of an ended one, so query the task first.
    let task = queries.query(account, task_id).await.map_err(retryable)?;
    if task.status == status::QUEUED {
        let cancelled = queries.seedance().cancel(&account.endpoint, task_id).await;
        cancelled.map_err(retryable)?;
        tracing::info!(task_id, "cancelled the task");
    }
    Ok(CancelVideoTaskResult {
        // An earlier attempt may have cancelled the task without receiving the response.
        is_cancelled: [status::QUEUED, status::CANCELLED].contains(&task.status.as_str()),
        task: Some(queries.result(task)),
    })
}

fn retryable(error: seedance::Error) -> ActivityError {
    failure::retryable(error.to_string(), error.failure_type(), RETRY_DELAY)
}
