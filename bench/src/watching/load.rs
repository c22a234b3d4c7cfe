//! Creates tasks, and starts what waits for them.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use parking_lot::Mutex;
use seedance_archiver::lifecycles;
use seedance_archiver_clock::Clock;
use seedance_archiver_proto::{names, v1::VideoTaskLifecycleRequest};
use seedance_archiver_simulator::{Script, Simulator};
use temporalio_client::{Client, UntypedWorkflow, WorkflowStartOptions};
use temporalio_common::{data_converters::RawValue, protos::temporal::api::common::v1::Payload};
use tokio::{
    task::{JoinHandle, JoinSet},
    time::Instant,
};

use super::{
    arrivals::Arrivals,
    system::{System, Variant},
    worker::TASK_QUEUE,
};

/// The part of its time that a task is queued.
const QUEUED: f64 = 0.1;

/// A task that was created.
#[derive(Clone, Debug)]
pub(super) struct Task {
    /// Id of the workflow that waits for it.
    pub(super) workflow_id: String,
    pub(super) ends_at: SystemTime,
}

/// Creates tasks until it is dropped.
pub(super) struct Load {
    state: Arc<State>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct State {
    tasks: Mutex<Vec<Task>>,
    error: Mutex<Option<String>>,
}

impl Load {
    pub(super) fn start(
        system: System,
        client: &Client,
        simulator: &Arc<Simulator>,
        arrivals: Arrivals,
    ) -> Self {
        let state = Arc::new(State::default());
        let run = run(
            state.clone(),
            system,
            client.clone(),
            simulator.clone(),
            arrivals,
        );
        Self {
            state,
            task: tokio::spawn(run),
        }
    }

    /// Returns the tasks so far, or the first error if a workflow could not be started.
    pub(super) fn tasks(&self) -> anyhow::Result<Vec<Task>> {
        match &*self.state.error.lock() {
            Some(error) => anyhow::bail!("cannot start a workflow: {error}"),
            None => Ok(self.state.tasks.lock().clone()),
        }
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn run(
    state: Arc<State>,
    system: System,
    client: Client,
    simulator: Arc<Simulator>,
    arrivals: Arrivals,
) {
    let start = Instant::now();
    let mut starts = JoinSet::new();
    for arrival in arrivals {
        tokio::time::sleep_until(start + arrival.at).await;
        let queued = arrival.completion.mul_f64(QUEUED);
        let script = Script {
            age: arrival.age,
            queued: Some(queued),
            running: Some(arrival.completion - queued),
            ..Script::default()
        };
        let created_at = Clock::default().now() - arrival.age;
        let task_id = simulator.create(script);
        state.tasks.lock().push(Task {
            workflow_id: workflow_id(system, &task_id),
            ends_at: created_at + arrival.completion,
        });
        let (client, state) = (client.clone(), state.clone());
        starts.spawn(async move {
            if let Err(error) = start_workflow(system, &client, task_id).await {
                state.error.lock().get_or_insert(format!("{error:#}"));
            }
        });
        while starts.try_join_next().is_some() {}
    }
}

fn workflow_id(system: System, task_id: &str) -> String {
    match system {
        System::Archiver(_) => names::lifecycle_workflow_id("", task_id),
        System::Loop(_) => format!("loop/{task_id}"),
    }
}

async fn start_workflow(system: System, client: &Client, task_id: String) -> anyhow::Result<()> {
    match system {
        System::Archiver(Variant::AutoArchive) => {}
        System::Archiver(_) => {
            let request = VideoTaskLifecycleRequest {
                task_id,
                ..VideoTaskLifecycleRequest::default()
            };
            lifecycles::start(client, TASK_QUEUE, request).await?;
        }
        System::Loop(it) => {
            let options =
                WorkflowStartOptions::new(TASK_QUEUE, workflow_id(system, &task_id)).build();
            let workflow = UntypedWorkflow::new(it.workflow);
            let argument = Payload {
                metadata: [("encoding".to_owned(), b"json/plain".to_vec())].into(),
                data: serde_json::to_vec(&task_id)?,
                ..Payload::default()
            };
            let input = RawValue::new(vec![argument]);
            client.start_workflow(workflow, input, options).await?;
        }
    }
    Ok(())
}

/// Returns the tasks that ended in a time.
pub(super) fn ended_during(tasks: &[Task], start: SystemTime, length: Duration) -> Vec<Task> {
    let end = start + length;
    let is_inside = |task: &&Task| start <= task.ends_at && task.ends_at < end;
    tasks.iter().filter(is_inside).cloned().collect()
}
