//! Callers: workflows that call an activity by its name, as workflows in other languages do. They run in this process, and
//! only outages of Temporal and of their link to it disturb them.

// The macros generate undocumented constants and helpers.
#![allow(missing_docs)]

use std::{thread, time::Duration};

use anyhow::Context;
use serde_json::Value;
use temporalio_client::{
    Client, UntypedWorkflow, WorkflowStartOptions, errors::WorkflowStartError,
};
use temporalio_common::{
    UntypedActivity,
    data_converters::{PayloadConverter, RawValue},
    error::ApplicationFailure,
    protos::temporal::api::common::v1::Payload,
};
use temporalio_macros::{workflow, workflow_methods};
use temporalio_sdk::{
    ActivityOptions, Runtime, Worker, WorkerOptions, WorkflowContext, WorkflowResult,
};
use tokio::sync::watch;

use super::parts::TASK_QUEUE;

/// Returns the result of the lifecycle of a task.
pub(super) const AWAIT: &str = "AwaitVideoTask";
/// Returns the record of a task at once.
pub(super) const QUERY: &str = "QueryVideoTask";

/// Begins the ids of the workflows of a crowd.
pub(super) const CROWD_PREFIX: &str = "crowd/";

const CALLERS_TASK_QUEUE: &str = "chaos-callers";
/// Longer than any run.
const TIMEOUT: Duration = Duration::from_secs(24 * 60 * 60);
/// A dead worker is noticed after this time.
const HEARTBEAT_TIMEOUT: Duration = Duration::from_secs(10);
/// A call that a dead server never answers is made again after this time.
const CALL_TIMEOUT: Duration = Duration::from_secs(10);
const RETRY_INTERVAL: Duration = Duration::from_secs(1);
const MAX_WORKFLOWS: usize = 500;

#[workflow]
#[derive(Default)]
struct ChaosCaller;

#[workflow_methods]
impl ChaosCaller {
    /// Executes an activity, and returns the result. The first payload of `input` is the name of the activity, the second one
    /// its input. The retry policy is the default one: without limit.
    #[run(name = "ChaosCaller")]
    async fn run(ctx: &mut WorkflowContext<Self>, input: RawValue) -> WorkflowResult<RawValue> {
        let [activity, input] = <[Payload; 2]>::try_from(input.payloads)
            .map_err(|_| ApplicationFailure::new("expected two payloads"))?;
        let activity: String = RawValue::new(vec![activity]).to_value(&PayloadConverter::default());
        let options = ActivityOptions::with_start_to_close_timeout(TIMEOUT)
            .task_queue(TASK_QUEUE.to_owned())
            .heartbeat_timeout(HEARTBEAT_TIMEOUT)
            .build();
        let activity = UntypedActivity::new(activity);
        let input = RawValue::new(vec![input]);
        Ok(ctx.execute_activity(activity, input, options).await?)
    }
}

/// Returns the id of the workflow that waits for a task.
pub(super) fn workflow_id(task_id: &str) -> String {
    format!("caller/{task_id}")
}

/// Starts a call of an activity, again and again while Temporal is out.
pub(super) async fn call(client: &Client, workflow_id: &str, activity: &str, request: &Value) {
    let converter = PayloadConverter::default();
    let mut input = RawValue::from_value(&activity.to_owned(), &converter);
    let request = RawValue::from_value(request, &converter);
    input.payloads.extend(request.payloads);
    loop {
        let workflow = UntypedWorkflow::new("ChaosCaller");
        let options = WorkflowStartOptions::new(CALLERS_TASK_QUEUE, workflow_id).build();
        let start = client.start_workflow(workflow, input.clone(), options);
        match tokio::time::timeout(CALL_TIMEOUT, start).await {
            // An earlier attempt started it, whose response was lost.
            Ok(Ok(_) | Err(WorkflowStartError::AlreadyStarted { .. })) => return,
            Ok(Err(_)) | Err(_) => tokio::time::sleep(RETRY_INTERVAL).await,
        }
    }
}

/// The worker of the callers. It stops when dropped.
pub(super) struct Callers {
    stop: watch::Sender<bool>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Callers {
    pub(super) fn start(client: Client) -> anyhow::Result<Self> {
        let (stop, is_stopped) = watch::channel(false);
        // Workflows are not `Send`.
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let thread = thread::Builder::new().name("callers".into());
        let thread = thread.spawn(move || runtime.block_on(run(client, is_stopped)));
        Ok(Self {
            stop,
            thread: Some(thread.context("cannot start a thread")?),
        })
    }
}

impl Drop for Callers {
    fn drop(&mut self) {
        self.stop.send_replace(true);
        if let Some(thread) = self.thread.take() {
            // It returns nothing that could be lost.
            let _ = thread.join();
        }
    }
}

/// Runs workers, one after the other: a worker stops if Temporal is out for long.
async fn run(client: Client, mut is_stopped: watch::Receiver<bool>) {
    let stopped = is_stopped.wait_for(|is_stopped| *is_stopped);
    let workers = async {
        loop {
            // Another one follows, whatever the error.
            let _ = run_worker(&client).await;
            tokio::time::sleep(RETRY_INTERVAL).await;
        }
    };
    tokio::select! {
        _ = stopped => {}
        () = workers => {}
    }
}

async fn run_worker(client: &Client) -> anyhow::Result<()> {
    let runtime = Runtime::from_current_tokio(Default::default())?;
    let options = WorkerOptions::new(CALLERS_TASK_QUEUE)
        .max_cached_workflows(MAX_WORKFLOWS)
        .register_workflow::<ChaosCaller>()?
        .build();
    let mut worker = Worker::new(&runtime, client.clone(), options)?;
    Ok(worker.run().await?)
}
