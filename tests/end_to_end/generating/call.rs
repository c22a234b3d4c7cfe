//! Calls of `GenerateVideo`.

use anyhow::bail;
use seedance_archiver_proto::v1::{GenerateVideoRequest, GenerateVideoResult};
use seedance_archiver_workflows::{GenerateVideo, reply::Reply};
use serde_json::json;
use temporalio_client::{
    Client, WorkflowGetResultOptions, WorkflowHandle, WorkflowStartOptions,
    errors::WorkflowGetResultError,
};
use temporalio_common::error::IncomingError;

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
