//! A client that needs a video in the archive, without a workflow of its own.

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

/// The same on a task queue of your choice.
pub(crate) async fn archive_on(
    client: &Client,
    task_queue: &str,
    task_id: &str,
) -> anyhow::Result<VideoTaskLifecycleResult> {
    let request = VideoTaskLifecycleRequest {
        task_id: task_id.to_owned(),
        // A lost video is told in the result, as every other ending. Without it, it is a failure.
        report_only: true,
        ..VideoTaskLifecycleRequest::default()
    };
    let id = names::lifecycle_workflow_id(names::DEFAULT_ACCOUNT, task_id);
    let options = WorkflowStartOptions::new(task_queue, id)
        // One that runs already is joined.
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
