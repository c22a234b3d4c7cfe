//! Calls of `GenerateVideo`.

use anyhow::{Context, bail};
use seedance_archiver_proto::v1::{GenerateVideoRequest, GenerateVideoResult};
use seedance_archiver_workflows::{GenerateVideo, reply::Reply};
use serde_json::json;
use temporalio_client::{
    Client, NamespacedClient, WorkflowDescribeOptions, WorkflowFetchHistoryOptions,
    WorkflowGetResultOptions, WorkflowHandle, WorkflowStartOptions, errors::WorkflowGetResultError,
    grpc::WorkflowService, tonic::IntoRequest,
};
use temporalio_common::{
    error::IncomingError,
    protos::temporal::api::{
        common::v1::WorkflowExecution, enums::v1::EventType,
        workflowservice::v1::ResetWorkflowExecutionRequest,
    },
};

use crate::harness::{Fixture, Server, failures::root_cause};

pub(super) type Generation = WorkflowHandle<Client, GenerateVideo>;

/// Returns a request with a prompt.
pub(super) fn request(prompt: &str) -> GenerateVideoRequest {
    with_identifier(prompt, "")
}

/// Returns a request with a prompt and a safety identifier, unless that is empty.
pub(super) fn with_identifier(prompt: &str, identifier: &str) -> GenerateVideoRequest {
    let mut body = json!({
        "model": "seedance-1-0-pro",
        "content": [{"type": "text", "text": prompt}],
    });
    if !identifier.is_empty() {
        body["safety_identifier"] = identifier.into();
    }
    GenerateVideoRequest {
        request: body.to_string(),
        ..GenerateVideoRequest::default()
    }
}

pub(super) async fn start(
    server: &Server,
    fixture: &Fixture,
    request: GenerateVideoRequest,
) -> anyhow::Result<Generation> {
    start_as(server, fixture, &server.unique_name("generate"), request).await
}

pub(super) async fn start_as(
    server: &Server,
    fixture: &Fixture,
    id: &str,
    request: GenerateVideoRequest,
) -> anyhow::Result<Generation> {
    let options = WorkflowStartOptions::new(fixture.config.task_queue.as_str(), id).build();
    let started = server
        .client
        .start_workflow(GenerateVideo, request.into(), options);
    Ok(started.await?)
}

/// Returns the handle of the latest run.
pub(super) fn latest(server: &Server, id: &str) -> Generation {
    server.client.get_workflow_handle(id.to_owned())
}

pub(super) async fn result(generation: &Generation) -> anyhow::Result<GenerateVideoResult> {
    let result = generation.get_result(WorkflowGetResultOptions::default());
    Ok(Reply::into_message(result.await?))
}

/// Returns the type and the message of the failure.
pub(super) async fn failure(generation: &Generation) -> anyhow::Result<(String, String)> {
    let result = generation.get_result(WorkflowGetResultOptions::default());
    match result.await {
        Err(WorkflowGetResultError::Failed(failure)) => match root_cause(&failure) {
            IncomingError::Application(failure) => {
                let kind = failure.type_name().unwrap_or_default();
                Ok((kind.to_owned(), failure.to_string()))
            }
            other => bail!("{other:?}"),
        },
        other => bail!("not a failure: {other:?}"),
    }
}

/// Resets the latest run of a workflow to the end of its first workflow task.
pub(super) async fn reset(server: &Server, workflow_id: &str) -> anyhow::Result<()> {
    // The type is irrelevant.
    let workflow: Generation = latest(server, workflow_id);
    let description = workflow.describe(WorkflowDescribeOptions::default());
    let run_id = description.await?.run_id().to_owned();
    let history = workflow.fetch_history(WorkflowFetchHistoryOptions::default());
    let events = history.into_events().await?;
    let mut events = events.iter();
    let task = events.find(|event| event.event_type() == EventType::WorkflowTaskCompleted);
    let reset = ResetWorkflowExecutionRequest {
        namespace: server.client.namespace(),
        workflow_execution: Some(WorkflowExecution {
            workflow_id: workflow_id.to_owned(),
            run_id,
        }),
        reason: "test".into(),
        workflow_task_finish_event_id: task.context("no workflow task")?.event_id,
        request_id: server.unique_name("reset"),
        ..ResetWorkflowExecutionRequest::default()
    };
    let mut service = server.client.clone();
    service
        .reset_workflow_execution(reset.into_request())
        .await?;
    Ok(())
}
