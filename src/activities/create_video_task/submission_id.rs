//! The id of a submission.

use seedance_archiver_proto::v1::CreateVideoTaskRequest;
use seedance_archiver_workflows::invalid_request::InvalidRequest;
use sha2::{Digest, Sha256};
use temporalio_client::{Client, NamespacedClient, grpc::WorkflowService, tonic::IntoRequest};
use temporalio_common::protos::temporal::api::{
    common::v1::WorkflowExecution, history::v1::history_event::Attributes,
    workflowservice::v1::GetWorkflowExecutionHistoryRequest,
};
use temporalio_sdk::activities::{ActivityContext, ActivityError};

use super::{super::failure, retry::temporal_failure};
use crate::temporal::error_text;

/// Length of the default id, in characters.
const LENGTH: usize = 32;

/// Returns the id of the submission: that of the request, or one that follows from the workflow and the activity.
///
/// A reset of the workflow starts a run with another id, whose first event is that of the original run. So the default id
/// is the same in all attempts and after every reset, but not after the workflow continues as new.
pub(super) async fn of(
    ctx: &ActivityContext,
    request: &CreateVideoTaskRequest,
) -> Result<String, ActivityError> {
    if !request.submission_id.is_empty() {
        return Ok(request.submission_id.clone());
    }
    let info = ctx.info();
    let (Some(workflow_id), Some(run_id)) = (&info.workflow_id, &info.workflow_run_id) else {
        let problem = "is missing; an activity without a workflow has no default";
        let error = InvalidRequest::new("submission_id", problem);
        return Err(failure::invalid_request(error));
    };
    let original_run_id = original_run_id(&ctx.client(), workflow_id, run_id).await;
    let original_run_id = original_run_id.map_err(|error| {
        temporal_failure(&format!(
            "cannot read the workflow of the activity: {error}"
        ))
    })?;
    Ok(default_id(&[
        workflow_id,
        &original_run_id,
        &info.activity_id,
    ]))
}

fn default_id(parts: &[&str]) -> String {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part);
    }
    let mut id = hex::encode(digest.finalize());
    id.truncate(LENGTH);
    id
}

/// Returns the id of the run in which the first event of a run was written.
async fn original_run_id(
    client: &Client,
    workflow_id: &str,
    run_id: &str,
) -> Result<String, String> {
    let request = GetWorkflowExecutionHistoryRequest {
        namespace: client.namespace(),
        execution: Some(WorkflowExecution {
            workflow_id: workflow_id.to_owned(),
            run_id: run_id.to_owned(),
        }),
        maximum_page_size: 1,
        ..GetWorkflowExecutionHistoryRequest::default()
    };
    let mut service = client.clone();
    let response = service.get_workflow_execution_history(request.into_request());
    let response = response.await;
    let response = response.map_err(|status| error_text::innermost(&status))?;
    let history = response.into_inner().history.unwrap_or_default();
    let first = history.events.into_iter().next();
    match first.and_then(|event| event.attributes) {
        Some(Attributes::WorkflowExecutionStartedEventAttributes(started)) => {
            Ok(started.original_execution_run_id)
        }
        _ => Err("its history does not begin with its start".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use seedance_archiver_proto::submission_id;

    use super::*;

    #[test]
    fn the_default_id_follows_from_its_parts() {
        let id = default_id(&["order/7", "run-1", "create"]);
        assert_eq!(id, default_id(&["order/7", "run-1", "create"]));
        assert_eq!((id.len(), submission_id::check(&id)), (LENGTH, Ok(())));
        for other in [
            ["order/7", "run-2", "create"],
            ["order/7", "run-1", "create2"],
            ["order/7r", "un-1", "create"],
        ] {
            assert_ne!(id, default_id(&other), "{other:?}");
        }
    }
}
