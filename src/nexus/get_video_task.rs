//! `GetVideoTask`: returns what the latest lifecycle of a task knows.

use seedance_archiver_proto::{
    names::{self, ARCHIVE_ACTIVITY_ID, search_attribute},
    phase,
    v1::{GetVideoTaskRequest, GetVideoTaskResult, VideoTask},
};
use temporalio_common::protos::temporal::api::nexus::v1::{
    StartOperationRequest, start_operation_response::Sync,
};

use super::{
    context::Context,
    error::HandlerError,
    input::{self, Input},
};
use crate::temporal::lifecycles::{
    Lifecycle, LifecycleError, LifecycleSnapshot, LifecycleStatus, Step,
};

pub(super) async fn run(
    context: &Context,
    start: StartOperationRequest,
) -> Result<Sync, HandlerError> {
    let client = &context.client;
    let input: Input<GetVideoTaskRequest> = Input::decode(client, start.payload).await?;
    let GetVideoTaskRequest { task_id, account } = input.request;
    let lifecycle = Lifecycle::for_task(client, &account, &task_id);
    // The history and the workflow's reply do not depend on each other.
    let (status, started_with) = tokio::join!(lifecycle.status(), lifecycle.request());
    let Some(status) = status.map_err(unavailable)? else {
        return Err(HandlerError::NotFound(format!(
            "{} does not exist, or ended before the retention of the namespace; the operation `{}` starts it",
            lifecycle.workflow_id(),
            names::nexus_operation::AWAIT_VIDEO_TASK
        )));
    };
    let result = GetVideoTaskResult {
        task_id,
        account: names::account_or_default(&account).to_owned(),
        // An unreadable history must not cost the rest.
        destination: started_with.map_or_else(|_| String::new(), |request| request.destination),
        ..describe(status)
    };
    Ok(Sync {
        payload: Some(input::encode(client, input.encoding, &result).await?),
        ..Sync::default()
    })
}

fn unavailable(error: LifecycleError) -> HandlerError {
    HandlerError::Unavailable(error.to_string())
}

/// Returns what the status of a lifecycle says.
fn describe(status: LifecycleStatus) -> GetVideoTaskResult {
    let described = from_snapshot(&status.snapshot);
    if let Some(result) = status.result {
        return GetVideoTaskResult {
            outcome: result.outcome,
            reason: result.reason,
            message: result.message,
            manifest: result.manifest,
            warnings: result.warnings,
            ..with_task(described, result.task)
        };
    }
    if let Some(error) = status.result_error {
        return GetVideoTaskResult {
            message: error,
            ..described
        };
    }
    let Some(progress) = status.progress else {
        return described;
    };
    GetVideoTaskResult {
        phase: progress.phase,
        outcome: progress.outcome,
        reason: progress.reason,
        ..with_task(described, progress.task)
    }
}

/// Returns what the server knows without the workflow.
fn from_snapshot(snapshot: &LifecycleSnapshot) -> GetVideoTaskResult {
    let attribute = |name| snapshot.search_attributes.get(name).to_owned();
    let pending = snapshot.pending.as_ref();
    let phase = match pending {
        _ if !snapshot.execution.is_open() => phase::ENDED,
        Some(pending) if pending.activity == ARCHIVE_ACTIVITY_ID => phase::ARCHIVING,
        _ => phase::WAITING,
    };
    let (message, bytes_done, bytes_total) = match snapshot.step() {
        Some(Step::Waiting(message)) => (message, 0, 0),
        Some(Step::Archiving { done, total }) => (String::new(), done, total),
        None => Default::default(),
    };
    GetVideoTaskResult {
        phase: phase.to_owned(),
        status: attribute(search_attribute::STATUS),
        model: attribute(search_attribute::MODEL),
        outcome: attribute(search_attribute::OUTCOME),
        message,
        archive_deadline: snapshot.search_attributes.archive_deadline(),
        started_at: snapshot.started_at,
        ended_at: snapshot.ended_at,
        bytes_done: i64::try_from(bytes_done).unwrap_or_default(),
        bytes_total: i64::try_from(bytes_total).unwrap_or_default(),
        workflow_id: snapshot.workflow_id.clone(),
        run_id: snapshot.run_id.clone(),
        execution: snapshot.execution.to_string(),
        ..GetVideoTaskResult::default()
    }
}

/// Adds the last record of a task.
fn with_task(described: GetVideoTaskResult, task: Option<VideoTask>) -> GetVideoTaskResult {
    let Some(task) = task else {
        return described;
    };
    GetVideoTaskResult {
        status: task.status,
        model: task.model,
        created_at: task.created_at,
        updated_at: task.updated_at,
        archive_deadline: task.archive_deadline,
        ..described
    }
}
