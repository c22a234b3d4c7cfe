//! A workflow that calls the archiver with Nexus, as workflows of other teams do. In the Temporal UI, its history links to
//! the lifecycle of the task, and that of the lifecycle links back.

// The macros generate undocumented constants and helpers.
#![allow(missing_docs)]

use anyhow::{Context, bail};
use seedance_archiver_proto::{
    names::{NEXUS_ENDPOINT, NEXUS_SERVICE, TASK_QUEUE, nexus_operation},
    v1::AwaitVideoTaskRequest,
};
use seedance_archiver_workflows::encoding::Encoding;
use temporalio_client::{Client, WorkflowStartOptions};
use temporalio_common::{
    data_converters::RawValue, error::ApplicationFailure,
    protos::coresdk::nexus::nexus_operation_result::Status,
};
use temporalio_macros::{workflow, workflow_methods};
use temporalio_sdk::{
    NexusOperationOptions, Runtime, Worker, WorkerOptions, WorkflowContext, WorkflowResult,
};

use crate::checkup::{CheckState, nexus};

const CALLER_QUEUE: &str = "demo-nexus-caller";

/// Waits for the video of a task, and returns the receipt.
#[workflow]
#[derive(Default)]
struct DemoNexusCaller;

#[workflow_methods]
impl DemoNexusCaller {
    #[run(name = "DemoNexusCaller")]
    async fn run(ctx: &mut WorkflowContext<Self>, task_id: String) -> WorkflowResult<RawValue> {
        let request = AwaitVideoTaskRequest {
            task_id,
            ..AwaitVideoTaskRequest::default()
        };
        let input = Encoding::JsonPlain.encode(&request);
        let options = NexusOperationOptions::builder()
            .endpoint(NEXUS_ENDPOINT)
            .service(NEXUS_SERVICE)
            .operation(nexus_operation::AWAIT_VIDEO_TASK)
            .input(input.map_err(|error| ApplicationFailure::new(error.to_string()))?)
            .build();
        let operation = ctx.start_nexus_operation(options).await;
        let operation = operation.map_err(|failure| ApplicationFailure::new(failure.message))?;
        match operation.result().await.status {
            Some(Status::Completed(result)) => Ok(RawValue::new(vec![result])),
            other => Err(ApplicationFailure::new(format!("{other:?}")).into()),
        }
    }
}

/// Creates the endpoint, and runs a caller that waits for a task until `work` completes. Returns the output of `work`. On a
/// server without Nexus, there is no caller.
pub(super) async fn with_caller<T>(
    client: &Client,
    task_id: &str,
    work: impl Future<Output = anyhow::Result<T>>,
) -> anyhow::Result<T> {
    let endpoint = nexus::create(client, TASK_QUEUE, None).await;
    if endpoint.state != CheckState::Created {
        return work.await;
    }
    let runtime = Runtime::from_current_tokio(Default::default())
        .context("cannot start the Temporal runtime")?;
    let options = WorkerOptions::new(CALLER_QUEUE)
        .register_workflow::<DemoNexusCaller>()?
        .build();
    let mut worker = Worker::new(&runtime, client.clone(), options)?;
    let shut_down = worker.shutdown_handle();
    let options = WorkflowStartOptions::new(CALLER_QUEUE, workflow_id(task_id)).build();
    client
        .start_workflow(DemoNexusCaller::run, task_id.to_owned(), options)
        .await?;
    let worker = worker.run();
    tokio::pin!(worker);
    tokio::select! {
        stopped = &mut worker => bail!("the worker of the Nexus caller stopped: {stopped:?}"),
        done = work => {
            shut_down();
            worker.await?;
            done
        }
    }
}

/// Returns the workflow id of the caller that waits for a task.
pub(super) fn workflow_id(task_id: &str) -> String {
    format!("demo-nexus-caller/{task_id}")
}
