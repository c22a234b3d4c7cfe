//! Callers of Nexus operations: a workflow on its own worker that calls an operation by its name, as workflows in other
//! languages do, and returns what the operation returned.

// The macros generate undocumented constants and helpers.
#![allow(missing_docs)]

use std::collections::HashMap;

use anyhow::{Context, bail, ensure};
use seedance_archiver_proto::names;
use seedance_archiver_workflows::encoding::{ContractMessage, Encoding, decode};
use serde::{Deserialize, Serialize};
use temporalio_client::{
    Client, NamespacedClient, UntypedWorkflow, UntypedWorkflowHandle, WorkflowDescribeOptions,
    WorkflowGetResultOptions, WorkflowStartOptions,
    grpc::{OperatorService, WorkflowService},
    tonic::IntoRequest,
};
use temporalio_common::{
    data_converters::{PayloadConverter, RawValue},
    error::ApplicationFailure,
    protos::{
        coresdk::nexus::nexus_operation_result::Status,
        temporal::api::{
            common::v1::Payload,
            enums::v1::{NexusOperationCancellationState, TaskQueueType},
            failure::v1::{Failure, failure::FailureInfo},
            nexus::v1::{EndpointSpec, EndpointTarget, endpoint_target},
            operatorservice::v1::CreateNexusEndpointRequest,
            taskqueue::v1::TaskQueue,
            workflowservice::v1::DescribeTaskQueueRequest,
        },
    },
};
use temporalio_macros::{workflow, workflow_methods};
use temporalio_sdk::{
    NexusOperationCancellationType, NexusOperationOptions, Worker as SdkWorker, WorkerOptions,
    WorkflowContext, WorkflowResult,
};

use super::{fixture::Fixture, temporal_server::Server};
use crate::until::until_async;

/// The operation that a workflow calls.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Operation {
    pub(crate) endpoint: String,
    pub(crate) service: String,
    pub(crate) operation: String,
    pub(crate) cancellation_type: NexusOperationCancellationType,
}

impl Operation {
    /// Returns an operation of the archiver's service.
    pub(crate) fn new(endpoint: &str, operation: &str) -> Self {
        Self {
            endpoint: endpoint.to_owned(),
            service: names::NEXUS_SERVICE.to_owned(),
            operation: operation.to_owned(),
            cancellation_type: NexusOperationCancellationType::default(),
        }
    }
}

/// How an operation ended.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Ending {
    /// `completed`, `failed`, `cancelled` or `timed out`.
    pub(crate) status: String,
    /// The token of the operation, if it was asynchronous.
    pub(crate) token: Option<String>,
    /// The failure, and its causes.
    pub(crate) failures: Vec<FailureText>,
    result: Option<ResultPayload>,
}

/// A payload that can be part of a result.
#[derive(Debug, Serialize, Deserialize)]
struct ResultPayload {
    metadata: HashMap<String, Vec<u8>>,
    data: Vec<u8>,
}

/// A failure as the caller sees it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct FailureText {
    /// Type of the failure, or of the error of the handler.
    pub(crate) failure_type: String,
    pub(crate) message: String,
    details: Vec<ResultPayload>,
}

impl ResultPayload {
    fn of(payload: Payload) -> Self {
        Self {
            metadata: payload.metadata,
            data: payload.data,
        }
    }

    fn into_payload(self) -> Payload {
        Payload {
            metadata: self.metadata,
            data: self.data,
            ..Payload::default()
        }
    }
}

impl FailureText {
    /// Returns the payload of the details.
    ///
    /// # Errors
    ///
    /// Returns an error if the failure has no details.
    pub(crate) fn into_details(mut self) -> anyhow::Result<Payload> {
        let details = self.details.pop().context("no details")?;
        Ok(details.into_payload())
    }
}

impl Ending {
    /// Returns the result.
    ///
    /// # Errors
    ///
    /// Returns an error if the operation did not complete, or the result is another message.
    pub(crate) fn completed<T: ContractMessage>(self) -> anyhow::Result<T> {
        Ok(decode(&self.completed_payload()?)?)
    }

    /// Returns the payload of the result.
    ///
    /// # Errors
    ///
    /// Returns an error if the operation did not complete.
    pub(crate) fn completed_payload(self) -> anyhow::Result<Payload> {
        ensure!(self.status == "completed", "{self:?}");
        Ok(self.result.context("no result")?.into_payload())
    }

    /// Returns the innermost failure.
    ///
    /// # Errors
    ///
    /// Returns an error if the operation did not fail.
    pub(crate) fn failed(mut self) -> anyhow::Result<FailureText> {
        ensure!(self.status == "failed", "{self:?}");
        self.failures.pop().context("no failure")
    }
}

#[workflow]
#[derive(Default)]
struct NexusCaller;

#[workflow_methods]
impl NexusCaller {
    /// Calls an operation. The first payload of `input` is the operation, the second one its input.
    #[run(name = "NexusCaller")]
    async fn run(ctx: &mut WorkflowContext<Self>, input: RawValue) -> WorkflowResult<RawValue> {
        let [operation, input] = <[Payload; 2]>::try_from(input.payloads)
            .map_err(|_| ApplicationFailure::new("expected two payloads"))?;
        let operation = RawValue::new(vec![operation]);
        let operation: Operation = operation.to_value(&PayloadConverter::default());
        let options = NexusOperationOptions::builder()
            .endpoint(operation.endpoint)
            .service(operation.service)
            .operation(operation.operation)
            .input(input)
            .cancellation_type(operation.cancellation_type)
            .build();
        let (token, status) = match ctx.start_nexus_operation(options).await {
            Ok(started) => (
                started.operation_token.clone(),
                started.result().await.status,
            ),
            Err(failure) => (None, Some(Status::Failed(failure))),
        };
        let (status, failure, result) = match status {
            Some(Status::Completed(result)) => ("completed", None, Some(result)),
            Some(Status::Failed(failure)) => ("failed", Some(failure), None),
            Some(Status::Cancelled(failure)) => ("cancelled", Some(failure), None),
            Some(Status::TimedOut(failure)) => ("timed out", Some(failure), None),
            None => ("unknown", None, None),
        };
        Ok(RawValue::from_value(
            &Ending {
                status: status.to_owned(),
                token,
                failures: failure.map(texts).unwrap_or_default(),
                result: result.map(ResultPayload::of),
            },
            &PayloadConverter::default(),
        ))
    }
}

/// Returns the texts of a failure and its causes.
fn texts(failure: Failure) -> Vec<FailureText> {
    let mut texts = Vec::new();
    let mut next = Some(Box::new(failure));
    while let Some(failure) = next {
        let (failure_type, details) = match failure.failure_info {
            Some(FailureInfo::ApplicationFailureInfo(info)) => (info.r#type, info.details),
            Some(FailureInfo::NexusHandlerFailureInfo(info)) => (info.r#type, None),
            Some(FailureInfo::NexusOperationExecutionFailureInfo(_)) => ("operation".into(), None),
            Some(FailureInfo::TerminatedFailureInfo(_)) => ("terminated".into(), None),
            Some(FailureInfo::CanceledFailureInfo(_)) => ("cancelled".into(), None),
            _ => (String::new(), None),
        };
        let details = details.unwrap_or_default().payloads.into_iter();
        texts.push(FailureText {
            failure_type,
            message: failure.message,
            details: details.map(ResultPayload::of).collect(),
        });
        next = failure.cause;
    }
    texts
}

/// Creates an endpoint whose target is the fixture's worker, and returns its name.
pub(crate) async fn create_endpoint(server: &Server, fixture: &Fixture) -> anyhow::Result<String> {
    let name = server.unique_name("endpoint");
    let worker = endpoint_target::Worker {
        namespace: server.client.namespace(),
        task_queue: names::nexus_task_queue(&fixture.config.task_queue),
    };
    let request = CreateNexusEndpointRequest {
        spec: Some(EndpointSpec {
            name: name.clone(),
            description: None,
            target: Some(EndpointTarget {
                variant: Some(endpoint_target::Variant::Worker(worker)),
            }),
        }),
    };
    let mut service = server.client.clone();
    service
        .create_nexus_endpoint(request.into_request())
        .await?;
    Ok(name)
}

/// A workflow that calls an operation.
pub(crate) struct NexusCall {
    pub(crate) workflow: UntypedWorkflowHandle<Client>,
}

impl NexusCall {
    /// Starts a workflow in the namespace of `server`.
    pub(crate) async fn start(
        server: &Server,
        operation: Operation,
        input: Payload,
    ) -> anyhow::Result<Self> {
        let mut payloads = RawValue::from_value(&operation, &PayloadConverter::default());
        payloads.payloads.push(input);
        let id = server.unique_name("nexus-caller");
        let options = WorkflowStartOptions::new(task_queue(server), id).build();
        let workflow = server
            .client
            .start_workflow(UntypedWorkflow::new("NexusCaller"), payloads, options)
            .await?;
        Ok(Self { workflow })
    }

    /// Starts a workflow that sends a message as JSON.
    pub(crate) async fn send<T: ContractMessage>(
        server: &Server,
        operation: Operation,
        request: &T,
    ) -> anyhow::Result<Self> {
        Self::start(server, operation, Encoding::JsonPlain.encode(request)?).await
    }

    /// Waits until the operation ends.
    pub(crate) async fn ending(&self) -> anyhow::Result<Ending> {
        let options = WorkflowGetResultOptions::default();
        let ending = self.workflow.get_result(options).await?;
        Ok(ending.to_value(&PayloadConverter::default()))
    }

    /// Returns what the caller waits for, for the report of a failure.
    pub(crate) async fn state(&self) -> anyhow::Result<String> {
        let description = self.workflow.describe(WorkflowDescribeOptions::default());
        let description = description.await?;
        let raw = description.raw();
        Ok(format!(
            "operations: {:?}, workflow task: {:?}",
            raw.pending_nexus_operations, raw.pending_workflow_task
        ))
    }

    /// Waits until the operation has started, and waits for the lifecycle.
    pub(crate) async fn until_waiting(&self) -> anyhow::Result<()> {
        until_async("the Nexus operation has started", || async {
            let description = self.workflow.describe(WorkflowDescribeOptions::default());
            let description = description.await?;
            let mut operations = description.raw().pending_nexus_operations.iter();
            Ok(operations.any(|operation| !operation.operation_token.is_empty()))
        })
        .await
    }

    /// Waits until the server has told the worker that the caller stops waiting.
    pub(crate) async fn until_cancel_requested(&self) -> anyhow::Result<()> {
        until_async("the cancellation was delivered", || async {
            let description = self.workflow.describe(WorkflowDescribeOptions::default());
            let description = description.await?;
            let mut operations = description.raw().pending_nexus_operations.iter();
            Ok(operations.any(|operation| {
                let cancellation = operation.cancellation_info.as_ref();
                cancellation
                    .is_some_and(|it| it.state() == NexusOperationCancellationState::Succeeded)
            }))
        })
        .await
    }
}

/// Waits until a number of workers poll for the requests to a fixture's endpoint. Server 1.29 with
/// `matching.useNewMatcher` fails an operation, and does not retry it, if no worker polls within 9 s of its start, or within
/// 20 s of the last poll.
pub(crate) async fn until_served(
    server: &Server,
    fixture: &Fixture,
    workers: usize,
) -> anyhow::Result<()> {
    let request = || DescribeTaskQueueRequest {
        namespace: server.client.namespace(),
        task_queue: Some(TaskQueue {
            name: names::nexus_task_queue(&fixture.config.task_queue),
            ..TaskQueue::default()
        }),
        task_queue_type: TaskQueueType::Nexus.into(),
        ..DescribeTaskQueueRequest::default()
    };
    until_async("workers poll for Nexus requests", || async {
        let mut service = server.client.clone();
        let described = service.describe_task_queue(request().into_request());
        Ok(described.await?.into_inner().pollers.len() >= workers)
    })
    .await
}

/// Runs a worker of callers in the namespace of `server` until `work` completes.
pub(crate) async fn with_callers<T>(
    server: &Server,
    work: impl Future<Output = anyhow::Result<T>>,
) -> anyhow::Result<T> {
    let options = WorkerOptions::new(task_queue(server))
        .register_workflow::<NexusCaller>()?
        .build();
    let mut worker = SdkWorker::new(&server.runtime, server.client.clone(), options)?;
    let shut_down = worker.shutdown_handle();
    let worker = worker.run();
    tokio::pin!(worker);
    tokio::select! {
        stopped = &mut worker => bail!("the callers' worker stopped: {stopped:?}"),
        result = work => {
            shut_down();
            worker.await?;
            result
        }
    }
}

/// Runs the fixture's worker and one of callers until `work` completes.
pub(crate) async fn with_worker_and_callers<T>(
    server: &Server,
    fixture: &Fixture,
    work: impl Future<Output = anyhow::Result<T>>,
) -> anyhow::Result<T> {
    // On the heap: the futures of both workers are large for the stack of a test.
    let work = Box::pin(async {
        until_served(server, fixture, 1).await?;
        with_callers(server, work).await
    });
    fixture.with_worker(server, work).await
}

/// Returns the task queue of callers.
fn task_queue(server: &Server) -> String {
    format!("nexus-callers-{}", server.run())
}
