//! The workers that poll a task queue.

use temporalio_client::{
    Client, NamespacedClient,
    grpc::WorkflowService,
    tonic::{IntoRequest, Status},
};
use temporalio_common::protos::temporal::api::{
    enums::v1::TaskQueueType,
    taskqueue::v1::{PollerInfo, TaskQueue},
    workflowservice::v1::DescribeTaskQueueRequest,
};

/// Returns the workers that polled a task queue recently. The server forgets a worker after 5 minutes.
///
/// # Errors
///
/// Returns an error if Temporal is unreachable or rejects the call.
pub(crate) async fn pollers(
    client: &Client,
    queue: &str,
    kind: TaskQueueType,
) -> Result<Vec<PollerInfo>, Status> {
    let request = DescribeTaskQueueRequest {
        namespace: client.namespace(),
        task_queue: Some(TaskQueue {
            name: queue.to_owned(),
            ..TaskQueue::default()
        }),
        task_queue_type: kind.into(),
        ..DescribeTaskQueueRequest::default()
    };
    let mut service = client.clone();
    let response = service.describe_task_queue(request.into_request()).await?;
    Ok(response.into_inner().pollers)
}
