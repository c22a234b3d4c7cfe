//! Archives the video of a task and prints the URL of its receipt.

mod client;
mod embedded;
mod workflows;

use std::process::ExitCode;

use anyhow::anyhow;
use clap::{Parser, ValueEnum};
use seedance_archiver_proto::v1::VideoTaskLifecycleResult;
use temporalio_client::{
    Client, ClientOptions, Connection, WorkflowGetResultOptions, WorkflowIdConflictPolicy,
    WorkflowStartOptions, envconfig::LoadClientConfigProfileOptions,
};
use temporalio_sdk::{Runtime, Worker, WorkerOptions};

use workflows::{ArchiveAsChild, AwaitVideo};

/// The task queue of the worker in this example, not the archiver's.
const TASK_QUEUE: &str = "archive-example-rust";

/// Archives the video of a task and prints the URL of its receipt.
#[derive(Parser)]
struct Arguments {
    mode: Mode,
    task_id: String,
}

#[derive(Clone, Copy, ValueEnum)]
enum Mode {
    /// Run a workflow that calls the activity `AwaitVideoTask`.
    Await,
    /// Run a workflow that starts a child workflow.
    Child,
    /// Start the lifecycle from the client, without a workflow.
    Start,
    /// Run the archiver in this process. Requires SEEDANCE_API_KEY and SEEDANCE_ARCHIVE_URL.
    Embedded,
}

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let Arguments { mode, task_id } = Arguments::parse();
    // The error is not `Send`, so only its text is kept.
    let (connection, options) =
        ClientOptions::load_from_config(LoadClientConfigProfileOptions::default())
            .map_err(|error| anyhow!("{error}"))?;
    let client = Client::new(Connection::connect(connection).await?, options)?;
    let result = match mode {
        Mode::Await | Mode::Child => run_workflow(&client, mode, &task_id).await?,
        Mode::Start => client::archive(&client, &task_id).await?,
        Mode::Embedded => embedded::archive(&client, &task_id).await?,
    };
    Ok(report(&result))
}

/// Runs a workflow and the worker that it needs.
async fn run_workflow(
    client: &Client,
    mode: Mode,
    task_id: &str,
) -> anyhow::Result<VideoTaskLifecycleResult> {
    let options = WorkerOptions::new(TASK_QUEUE)
        .register_workflow::<AwaitVideo>()?
        .register_workflow::<ArchiveAsChild>()?
        .build();
    let runtime = Runtime::from_current_tokio(Default::default())?;
    let mut worker = Worker::new(&runtime, client.clone(), options)?;
    let shut_down = worker.shutdown_handle();

    let result = async {
        let name = match mode {
            Mode::Child => "child",
            _ => "await",
        };
        let id = format!("archive-example/{name}/{task_id}");
        let options = WorkflowStartOptions::new(TASK_QUEUE, id)
            .id_conflict_policy(WorkflowIdConflictPolicy::UseExisting)
            .build();
        let task_id = task_id.to_owned();
        let get = WorkflowGetResultOptions::default();
        let result = match mode {
            Mode::Child => {
                let handle = client.start_workflow(ArchiveAsChild::run, task_id, options);
                handle.await?.get_result(get).await
            }
            _ => {
                let handle = client.start_workflow(AwaitVideo::run, task_id, options);
                handle.await?.get_result(get).await
            }
        };
        shut_down();
        anyhow::Ok(result?.into_message())
    };
    let (worker_result, result) = futures::join!(worker.run(), result);
    worker_result?;
    result
}

fn report(result: &VideoTaskLifecycleResult) -> ExitCode {
    let VideoTaskLifecycleResult {
        outcome,
        reason,
        message,
        ..
    } = result;
    match &result.manifest {
        Some(manifest) => {
            println!("{outcome} {}", manifest.manifest_url);
            ExitCode::SUCCESS
        }
        None => {
            println!("{outcome} {reason}: {message}");
            ExitCode::FAILURE
        }
    }
}
