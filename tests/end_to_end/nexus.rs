//! The Nexus service: operations that workflows of any namespace call.

mod cancelling;
mod failures;
mod getting;
mod joining;
mod links;
mod runs;

use seedance_archiver_proto::v1::AwaitVideoTaskRequest;

/// Returns the request to wait for a task.
pub(super) fn request(task_id: &str) -> AwaitVideoTaskRequest {
    AwaitVideoTaskRequest {
        task_id: task_id.to_owned(),
        ..AwaitVideoTaskRequest::default()
    }
}
