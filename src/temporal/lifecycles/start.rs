//! Starts lifecycles.

use seedance_archiver_proto::{
    names,
    v1::{AwaitVideoTaskRequest, VideoTaskLifecycleRequest},
};
use seedance_archiver_workflows::VideoTaskLifecycle;
use temporalio_client::{
    Client, WorkflowIdConflictPolicy, WorkflowStartOptions, errors::WorkflowStartError,
};

use super::{error::LifecycleError, handle::Lifecycle};

/// Starts the lifecycle of a task. If it is running already, joins it: the running lifecycle keeps the request
/// that it was started with.
///
/// # Errors
///
/// Returns an error if Temporal is unreachable or rejects the call. An invalid request is not detected here:
/// its lifecycle fails with the type `InvalidRequest`.
pub async fn start(
    client: &Client,
    task_queue: &str,
    request: VideoTaskLifecycleRequest,
) -> Result<Lifecycle, LifecycleError> {
    let join = WorkflowIdConflictPolicy::UseExisting;
    try_start(client, task_queue, request, join)
        .await
        .map_err(|(workflow_id, error)| LifecycleError::from_call(&workflow_id, &error))
}

/// Starts the lifecycle of a task, unless it is running already. Returns whether it was started.
///
/// # Errors
///
/// Returns an error if Temporal is unreachable, or rejects the call for another reason.
pub async fn start_new(
    client: &Client,
    task_queue: &str,
    request: VideoTaskLifecycleRequest,
) -> Result<bool, LifecycleError> {
    let fail = WorkflowIdConflictPolicy::Fail;
    match try_start(client, task_queue, request, fail).await {
        Ok(_) => Ok(true),
        Err((_, WorkflowStartError::AlreadyStarted { .. })) => Ok(false),
        Err((workflow_id, error)) => Err(LifecycleError::from_call(&workflow_id, &error)),
    }
}

/// Returns the request of the lifecycle that a call of `AwaitVideoTask` starts. The lifecycle may have other callers, so
/// it fails if the video is lost, whatever one of them says.
pub(crate) fn request_of(call: &AwaitVideoTaskRequest) -> VideoTaskLifecycleRequest {
    VideoTaskLifecycleRequest {
        task_id: call.task_id.clone(),
        account: call.account.clone(),
        destination: call.destination.clone(),
        ..VideoTaskLifecycleRequest::default()
    }
}

/// Returns the summary of a lifecycle in the Temporal UI.
pub(super) fn summary(request: &VideoTaskLifecycleRequest) -> String {
    format!("Seedance video {}", request.task_id)
}

async fn try_start(
    client: &Client,
    task_queue: &str,
    request: VideoTaskLifecycleRequest,
    policy: WorkflowIdConflictPolicy,
) -> Result<Lifecycle, (String, WorkflowStartError)> {
    let workflow_id = names::lifecycle_workflow_id(&request.account, &request.task_id);
    let options = WorkflowStartOptions::new(task_queue, workflow_id.as_str())
        .id_conflict_policy(policy)
        .static_summary(summary(&request))
        .build();
    match client
        .start_workflow(VideoTaskLifecycle::default(), request.into(), options)
        .await
    {
        Ok(handle) => Ok(Lifecycle {
            client: client.clone(),
            handle,
        }),
        Err(error) => Err((workflow_id, error)),
    }
}
