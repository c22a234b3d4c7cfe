//! Requests for workflows that are invalid.

use std::sync::Arc;

use anyhow::{Context, ensure};
use seedance_archiver_proto::names::{
    DELIVER_EVENT_WORKFLOW, LIFECYCLE_WORKFLOW, SUBMISSION_WORKFLOW,
};
use serde_json::{Value, json};
use temporalio_client::{
    Client, UntypedWorkflow, UntypedWorkflowHandle, WorkflowGetResultOptions, WorkflowStartOptions,
    errors::WorkflowGetResultError,
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
                let message =
                    failure_message(&server, &fixture, LIFECYCLE_WORKFLOW, &request).await?;
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

/// Those of callers are in `audits` and `generating`.
async fn the_workflows_that_workers_start_name_the_field_too(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let request = json!({"account": "e/u"});
    fixture
        .with_worker(&server, async {
            for (workflow, field) in [
                ("SweepVideoTasks", "`account` may contain only"),
                ("AccountWatcher", "`account` may contain only"),
                (DELIVER_EVENT_WORKFLOW, "`event` is missing"),
            ] {
                let message = failure_message(&server, &fixture, workflow, &request).await?;
                ensure!(
                    message.starts_with(field),
                    "{workflow} failed with: {message}"
                );
            }
            Ok(())
        })
        .await
}
register!(the_workflows_that_workers_start_name_the_field_too);

/// Not a failure, after which the create request could be sent again.
async fn an_invalid_submission_completes_as_ambiguous(server: Arc<Server>) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let request = json!({"account": "e/u"});
    let result = fixture
        .with_worker(&server, async {
            let submission = start(&server, &fixture, SUBMISSION_WORKFLOW, &request).await?;
            let result = submission.get_result(WorkflowGetResultOptions::default());
            Ok(result.await?)
        })
        .await?;
    let result = result.payloads.first().context("no result")?;
    let result: Value = serde_json::from_slice(&result.data)?;
    ensure!(result["submission_ambiguous"] == true, "{result}");
    Ok(())
}
register!(an_invalid_submission_completes_as_ambiguous);

/// Starts a workflow as a caller in another language would.
async fn start(
    server: &Server,
    fixture: &Fixture,
    workflow: &str,
    request: &Value,
) -> anyhow::Result<UntypedWorkflowHandle<Client>> {
    let task_queue = fixture.config.task_queue.as_str();
    let id = format!("invalid-{task_queue}-{workflow}-{request}");
    let input = RawValue::from_value(request, &PayloadConverter::default());
    let options = WorkflowStartOptions::new(task_queue, id).build();
    let workflow = UntypedWorkflow::new(workflow);
    Ok(server
        .client
        .start_workflow(workflow, input, options)
        .await?)
}

/// Returns the message of the failure of a workflow.
async fn failure_message(
    server: &Server,
    fixture: &Fixture,
    workflow: &str,
    request: &Value,
) -> anyhow::Result<String> {
    let handle = start(server, fixture, workflow, request).await?;
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
