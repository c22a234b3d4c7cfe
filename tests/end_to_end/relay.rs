//! A caller's own workflow, in a worker of its own: it hands a payload to an activity by its name, as
//! workflows in other languages do, and returns what comes back.

// The macros make constants and helpers that carry no documentation.
#![allow(missing_docs)]

use std::time::Duration;

use anyhow::{Context, bail};
use serde::{Deserialize, Serialize};
use temporalio_client::{
    Client, UntypedWorkflow, UntypedWorkflowHandle, WorkflowGetResultOptions, WorkflowStartOptions,
    errors::WorkflowGetResultError,
};
use temporalio_common::{
    UntypedActivity,
    data_converters::{PayloadConverter, RawValue},
    error::IncomingError,
    protos::temporal::api::common::v1::Payload,
};
use temporalio_macros::{workflow, workflow_methods};
use temporalio_sdk::{
    ActivityCancellationType, ActivityOptions, Worker as SdkWorker, WorkerOptions, WorkflowContext,
    WorkflowResult,
};

use crate::world::{Server, World};

/// Which activity, where.
#[derive(Clone, Serialize, Deserialize)]
struct Address {
    task_queue: String,
    activity: String,
}

#[workflow]
#[derive(Default)]
struct Relay;

#[workflow_methods]
impl Relay {
    /// The first payload is the address, the second one the activity's input.
    #[run(name = "Relay")]
    async fn run(ctx: &mut WorkflowContext<Self>, call: RawValue) -> WorkflowResult<RawValue> {
        let [address, input] = <[Payload; 2]>::try_from(call.payloads)
            .map_err(|_| temporalio_common::error::ApplicationFailure::new("two payloads"))?;
        let address: Address = RawValue::new(vec![address]).to_value(&PayloadConverter::default());
        let options = ActivityOptions::with_start_to_close_timeout(Duration::from_secs(200))
            .task_queue(address.task_queue)
            .heartbeat_timeout(Duration::from_secs(5))
            .cancellation_type(ActivityCancellationType::WaitCancellationCompleted)
            .build();
        let activity = UntypedActivity::new(address.activity);
        let input = RawValue::new(vec![input]);
        Ok(ctx.execute_activity(activity, input, options).await?)
    }
}

/// A call that is under way.
pub(crate) struct Call {
    pub(crate) workflow: UntypedWorkflowHandle<Client>,
}

impl Call {
    /// What the activity returned, or the failure that it ended with.
    pub(crate) async fn answer(&self) -> anyhow::Result<Result<Payload, Box<IncomingError>>> {
        let options = WorkflowGetResultOptions::default();
        match self.workflow.get_result(options).await {
            Ok(answer) => Ok(Ok(answer
                .payloads
                .into_iter()
                .next()
                .context("no payload")?)),
            Err(WorkflowGetResultError::Failed(failure)) => Ok(Err(failure)),
            Err(error) => Err(error.into()),
        }
    }
}

/// Calls an activity of the world's worker.
pub(crate) async fn start(
    server: &Server,
    world: &World,
    activity: &str,
    input: Payload,
) -> anyhow::Result<Call> {
    let queue = &world.config.task_queue;
    let address = Address {
        task_queue: match activity {
            "ArchiveVideo" | "RecordOutcome" => format!("{queue}-transfers"),
            _ => queue.clone(),
        },
        activity: activity.to_owned(),
    };
    let mut call = RawValue::from_value(&address, &PayloadConverter::default());
    call.payloads.push(input);
    let options = WorkflowStartOptions::new(queue_of(world), server.unique("caller")).build();
    let relay = UntypedWorkflow::new("Relay");
    let workflow = server.client.start_workflow(relay, call, options).await?;
    Ok(Call { workflow })
}

/// Runs `work` beside a worker of the world and a caller's.
pub(crate) async fn with_callers<T>(
    server: &Server,
    world: &World,
    work: impl Future<Output = anyhow::Result<T>>,
) -> anyhow::Result<T> {
    world.with_worker(server, alone(server, world, work)).await
}

/// Runs `work` beside a caller's worker alone.
pub(crate) async fn alone<T>(
    server: &Server,
    world: &World,
    work: impl Future<Output = anyhow::Result<T>>,
) -> anyhow::Result<T> {
    let options = WorkerOptions::new(queue_of(world))
        .register_workflow::<Relay>()?
        .build();
    let mut callers = SdkWorker::new(&server.runtime, server.client.clone(), options)?;
    let stop = callers.shutdown_handle();
    let callers = callers.run();
    tokio::pin!(callers);
    tokio::select! {
        ended = &mut callers => bail!("the callers' worker stopped: {ended:?}"),
        outcome = work => {
            stop();
            callers.await?;
            outcome
        }
    }
}

fn queue_of(world: &World) -> String {
    format!("{}-callers", world.config.task_queue)
}
