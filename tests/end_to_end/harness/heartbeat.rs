//! The heartbeat of a running activity.

use seedance_archiver_proto::names;
use seedance_archiver_workflows::VideoTaskLifecycle;
use serde_json::Value;
use temporalio_client::WorkflowDescribeOptions;

use super::temporal_server::Server;

/// Returns the last heartbeat of the running transfer of a task, `null` if there is none.
pub(crate) async fn heartbeat(server: &Server, account: &str, id: &str) -> anyhow::Result<Value> {
    let id = names::lifecycle_workflow_id(account, id);
    let lifecycle = server.client.get_workflow_handle::<VideoTaskLifecycle>(id);
    let description = lifecycle.describe(WorkflowDescribeOptions::default());
    let description = description.await?;
    let mut activities = description.raw().pending_activities.iter();
    let heartbeat = activities.find_map(|activity| activity.heartbeat_details.as_ref());
    let Some(payload) = heartbeat.and_then(|details| details.payloads.first()) else {
        return Ok(Value::Null);
    };
    Ok(serde_json::from_slice(&payload.data)?)
}
