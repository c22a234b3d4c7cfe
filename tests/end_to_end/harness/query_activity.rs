//! The polling activity of a lifecycle, completed by id from outside.

use seedance_archiver_proto::{names, v1::VideoTask};
use temporalio_client::{ActivityIdentifier, RpcOptions};

use super::temporal_server::Server;

/// Completes the pending poll of a lifecycle with a record of this status.
pub(crate) async fn complete(server: &Server, task_id: &str, status: &str) -> anyhow::Result<()> {
    let workflow_id = names::lifecycle_workflow_id("", task_id);
    let activity = ActivityIdentifier::by_id_workflow(workflow_id, "", names::QUERY_ACTIVITY_ID);
    let record = VideoTask {
        id: task_id.to_owned(),
        status: status.to_owned(),
        ..VideoTask::default()
    };
    let handle = server.client.get_async_activity_handle(activity);
    Ok(handle.complete(Some(record), RpcOptions::default()).await?)
}
