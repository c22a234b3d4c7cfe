//! Requests for a lifecycle that are invalid.

use std::sync::Arc;

use anyhow::{Context, ensure};
use serde_json::{Value, json};
use temporalio_client::{
    UntypedWorkflow, WorkflowGetResultOptions, WorkflowStartOptions, errors::WorkflowGetResultError,
};
use temporalio_common::{
    data_converters::{PayloadConverter, RawValue},
    error::IncomingError,
};

use crate::harness::{Fixture, Server, failures::root_cause, register};

async fn the_workflow_fails_and_names_the_field(server: Arc<Server>) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    fixture
        .with_worker(&server, async {
            for (request, field) in [
                (json!({}), "`task_id` is missing"),
                (json!({"task_id": ""}), "`task_id` is missing"),
                (json!({"task_id": 7}), "`task_id` cannot be decoded"),
                (json!({"task_id": "a/b"}), "`task_id` contains a slash"),
                (json!("cgt-1"), "`input` cannot be decoded"),
                (
                    json!({"task_id": "cgt-1", "account": "e/u"}),
                    "`account` may contain only",
                ),
                (
                    json!({"task_id": "cgt-1", "destination": "bucket/videos"}),
                    "`destination` must be an archive URL",
                ),
            ] {
                let message = failure_message(&server, &fixture, &request).await?;
                ensure!(
                    message.starts_with(field),
                    "{request} failed with: {message}"
                );
            }
            Ok(())
        })
        .await
}
register!(the_workflow_fails_and_names_the_field);

/// Starts the workflow as a caller in another language would, and returns the message of its failure.
async fn failure_message(
    server: &Server,
    fixture: &Fixture,
    request: &Value,
) -> anyhow::Result<String> {
    let id = format!("invalid-{}-{request}", fixture.config.task_queue);
    let input = RawValue::from_value(request, &PayloadConverter::default());
    let options = WorkflowStartOptions::new(fixture.config.task_queue.as_str(), id).build();
    let workflow = UntypedWorkflow::new("VideoTaskLifecycle");
    let handle = server
        .client
        .start_workflow(workflow, input, options)
        .await?;
    match handle.get_result(WorkflowGetResultOptions::default()).await {
        Err(WorkflowGetResultError::Failed(failure)) => {
            let failure = root_cause(&failure);
            let IncomingError::Application(application) = failure else {
                anyhow::bail!("{request}: not an application failure: {failure:?}");
            };
            ensure!(
                application.type_name() == Some("InvalidRequest"),
                "{application:?}"
            );
            ensure!(application.is_non_retryable(), "{application:?}");
            Ok(application.to_string())
        }
        Err(error) => Err(error).context("the workflow did not fail"),
        Ok(_) => anyhow::bail!("{request} succeeded"),
    }
}
