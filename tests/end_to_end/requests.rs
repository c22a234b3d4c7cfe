//! Requests that cannot be served.

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

use crate::{
    Suite,
    world::{Server, World},
};

pub(crate) fn tests(suite: Suite) -> Suite {
    suite.test(
        "requests::an_invalid_one_fails_at_once_and_names_the_field",
        invalid_requests,
    )
}

async fn invalid_requests(server: Arc<Server>) -> anyhow::Result<()> {
    let world = World::new(&server).await?;
    world
        .with_worker(&server, async {
            for (request, field) in [
                (json!({}), "`task_id` is missing"),
                (json!({"task_id": ""}), "`task_id` is missing"),
                (json!({"task_id": 7}), "`task_id` cannot be decoded"),
                (json!({"task_id": "a/b"}), "`task_id` contains a slash"),
                (json!("cgt-1"), "`input` cannot be decoded"),
                (
                    json!({"task_id": "cgt-1", "account": "eu"}),
                    "`account` is `eu`",
                ),
            ] {
                let message = failure_of(&server, &world, &request).await?;
                ensure!(
                    message.starts_with(field),
                    "{request} failed with: {message}"
                );
            }
            Ok(())
        })
        .await
}

/// Starts the workflow as a caller in another language would, and returns why it failed.
async fn failure_of(server: &Server, world: &World, request: &Value) -> anyhow::Result<String> {
    let id = format!("invalid-{}-{request}", world.config.task_queue);
    let input = RawValue::from_value(request, &PayloadConverter::default());
    let options = WorkflowStartOptions::new(world.config.task_queue.as_str(), id).build();
    let workflow = UntypedWorkflow::new("VideoTaskLifecycle");
    let handle = server
        .client
        .start_workflow(workflow, input, options)
        .await?;
    match handle.get_result(WorkflowGetResultOptions::default()).await {
        Err(WorkflowGetResultError::Failed(failure)) => {
            let failure = root(&failure);
            let IncomingError::Application(application) = failure else {
                anyhow::bail!("{request} failed as {failure:?}");
            };
            ensure!(
                application.type_name() == Some("InvalidRequest"),
                "{application:?}"
            );
            ensure!(application.is_non_retryable(), "{application:?}");
            Ok(application.to_string())
        }
        Err(error) => Err(error).context("it ended otherwise than failed"),
        Ok(_) => anyhow::bail!("{request} succeeded"),
    }
}

pub(crate) fn root(error: &IncomingError) -> &IncomingError {
    error.cause().map_or(error, root)
}
