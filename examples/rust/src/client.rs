//! Archives a video by starting the lifecycle workflow from a client.

use seedance_archiver_proto::{
    names,
    v1::{VideoTaskLifecycleRequest, VideoTaskLifecycleResult},
};
use seedance_archiver_workflows::VideoTaskLifecycle;
use temporalio_client::{
    Client, WorkflowGetResultOptions, WorkflowIdConflictPolicy, WorkflowStartOptions,
};

pub(crate) async fn archive(
    client: &Client,
    task_id: &str,
) -> anyhow::Result<VideoTaskLifecycleResult> {
    archive_on(client, names::TASK_QUEUE, task_id).await
}

/// Starts or joins the lifecycle of the task on this task queue, and returns its result.
pub(crate) async fn archive_on(
    client: &Client,
    task_queue: &str,
    task_id: &str,
) -> anyhow::Result<VideoTaskLifecycleResult> {
    let request = VideoTaskLifecycleRequest {
        task_id: task_id.to_owned(),
        // Returns the outcome `lost` as a result. Without this, the workflow fails with `VideoLost`.
        report_only: true,
        ..VideoTaskLifecycleRequest::default()
    };
    let id = names::lifecycle_workflow_id(names::DEFAULT_ACCOUNT, task_id);
    let options = WorkflowStartOptions::new(task_queue, id)
        // Joins a lifecycle that is already running.
        .id_conflict_policy(WorkflowIdConflictPolicy::UseExisting)
        .build();
    let lifecycle = VideoTaskLifecycle::default();
    let handle = client
        .start_workflow(lifecycle, request.into(), options)
        .await?;
    let result = handle
        .get_result(WorkflowGetResultOptions::default())
        .await?;
    Ok(result.into_message())
}
