//! A caller: a workflow on its own worker that passes a payload to an activity, both by name, as workflows in
//! other languages do, and returns the activity's result.

// The macros generate undocumented constants and helpers.
#![allow(missing_docs)]

use std::time::Duration;

use anyhow::{Context, bail, ensure};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use temporalio_client::{
    Client, UntypedWorkflow, UntypedWorkflowHandle, WorkflowDescribeOptions,
    WorkflowGetResultOptions, WorkflowStartOptions, errors::WorkflowGetResultError,
};
use temporalio_common::{
    UntypedActivity,
    data_converters::{PayloadConverter, RawValue},
    error::{ApplicationFailure, IncomingError},
    protos::temporal::api::common::v1::Payload,
};
use temporalio_macros::{workflow, workflow_methods};
use temporalio_sdk::{
    ActivityCancellationType, ActivityOptions, Worker as SdkWorker, WorkerOptions, WorkflowContext,
    WorkflowResult,
};

use super::{failures::root_cause, fixture::Fixture, temporal_server::Server};
use crate::until::until_async;

/// The activity that the workflow executes.
#[derive(Clone, Serialize, Deserialize)]
struct Target {
    task_queue: String,
    activity: String,
}

#[workflow]
#[derive(Default)]
struct Caller;

#[workflow_methods]
impl Caller {
    /// Executes an activity. The first payload of `input` is the target, the second one the activity's input.
    #[run(name = "Caller")]
    async fn run(ctx: &mut WorkflowContext<Self>, input: RawValue) -> WorkflowResult<RawValue> {
        let [target, input] = <[Payload; 2]>::try_from(input.payloads)
            .map_err(|_| ApplicationFailure::new("expected two payloads"))?;
        let target: Target = RawValue::new(vec![target]).to_value(&PayloadConverter::default());
        let options = ActivityOptions::with_start_to_close_timeout(Duration::from_secs(1200))
            .task_queue(target.task_queue)
            .heartbeat_timeout(Duration::from_secs(5))
            .cancellation_type(ActivityCancellationType::WaitCancellationCompleted)
            .build();
        let activity = UntypedActivity::new(target.activity);
        let input = RawValue::new(vec![input]);
        Ok(ctx.execute_activity(activity, input, options).await?)
    }
}

/// A running call of an activity.
pub(crate) struct Call {
    pub(crate) workflow: UntypedWorkflowHandle<Client>,
}

impl Call {
    /// Waits for the result or the failure of the activity.
    pub(crate) async fn result(&self) -> anyhow::Result<Result<Payload, Box<IncomingError>>> {
        let options = WorkflowGetResultOptions::default();
        match self.workflow.get_result(options).await {
            Ok(result) => Ok(Ok(result
                .payloads
                .into_iter()
                .next()
                .context("no payload")?)),
            Err(WorkflowGetResultError::Failed(failure)) => Ok(Err(failure)),
            Err(error) => Err(error.into()),
        }
    }

    /// Waits until an attempt of the activity has failed.
    pub(crate) async fn until_failed(&self) -> anyhow::Result<()> {
        until_async("an attempt has failed", || async {
            let options = WorkflowDescribeOptions::default();
            let description = self.workflow.describe(options).await?;
            let mut activities = description.raw().pending_activities.iter();
            Ok(activities.any(|activity| activity.last_failure.is_some()))
        })
        .await
    }
}

/// Starts a call of an activity on the fixture's worker.
pub(crate) async fn call_activity(
    server: &Server,
    fixture: &Fixture,
    activity: &str,
    input: Payload,
) -> anyhow::Result<Call> {
    let queue = &fixture.config.task_queue;
    let target = Target {
        task_queue: match activity {
            "ArchiveVideo" | "RecordOutcome" | "AuditShare" => format!("{queue}-transfers"),
            _ => queue.clone(),
        },
        activity: activity.to_owned(),
    };
    let mut payloads = RawValue::from_value(&target, &PayloadConverter::default());
    payloads.payloads.push(input);
    let id = server.unique_name("caller");
    let options = WorkflowStartOptions::new(caller_task_queue(fixture), id).build();
    let caller = UntypedWorkflow::new("Caller");
    let workflow = server
        .client
        .start_workflow(caller, payloads, options)
        .await?;
    Ok(Call { workflow })
}

/// Calls an activity with JSON, and returns its result.
///
/// # Errors
///
/// Returns an error if the activity fails. The error has the message of the `InvalidRequest` failure.
pub(crate) async fn call_json(
    server: &Server,
    fixture: &Fixture,
    activity: &str,
    request: &Value,
) -> anyhow::Result<Value> {
    let input = RawValue::from_value(request, &PayloadConverter::default());
    let input = input.payloads.into_iter().next().context("no payload")?;
    let call = call_activity(server, fixture, activity, input).await?;
    match call.result().await? {
        Ok(result) => Ok(serde_json::from_slice(&result.data)?),
        Err(failure) => match root_cause(&failure) {
            IncomingError::Application(application) => {
                ensure!(
                    application.type_name() == Some("InvalidRequest"),
                    "{application:?}"
                );
                bail!("{application}")
            }
            other => bail!("unexpected failure: {other:?}"),
        },
    }
}

/// Runs the fixture's worker and a caller's worker until `work` completes.
pub(crate) async fn with_worker_and_caller<T>(
    server: &Server,
    fixture: &Fixture,
    work: impl Future<Output = anyhow::Result<T>>,
) -> anyhow::Result<T> {
    let work = with_caller(server, fixture, work);
    fixture.with_worker(server, work).await
}

/// Runs only a caller's worker until `work` completes.
pub(crate) async fn with_caller<T>(
    server: &Server,
    fixture: &Fixture,
    work: impl Future<Output = anyhow::Result<T>>,
) -> anyhow::Result<T> {
    let options = WorkerOptions::new(caller_task_queue(fixture))
        .register_workflow::<Caller>()?
        .build();
    let mut worker = SdkWorker::new(&server.runtime, server.client.clone(), options)?;
    let shut_down = worker.shutdown_handle();
    let worker = worker.run();
    tokio::pin!(worker);
    tokio::select! {
        stopped = &mut worker => bail!("the caller's worker stopped: {stopped:?}"),
        result = work => {
            shut_down();
            worker.await?;
            result
        }
    }
}

fn caller_task_queue(fixture: &Fixture) -> String {
    format!("{}-callers", fixture.config.task_queue)
}
