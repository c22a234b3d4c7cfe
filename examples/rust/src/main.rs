//! Archives the video of a task, or creates the task too, and prints the URL of its receipt.

mod client;
mod embedded;
mod generate;
mod nexus;
mod workflows;

use std::process::ExitCode;

use anyhow::anyhow;
use clap::{Parser, ValueEnum};
use seedance_archiver_proto::v1::{GenerateVideoResult, VideoTaskLifecycleResult};
use temporalio_client::{
    Client, ClientOptions, Connection, WorkflowGetResultOptions, WorkflowIdConflictPolicy,
    WorkflowStartOptions, envconfig::LoadClientConfigProfileOptions,
};
use temporalio_sdk::{Runtime, Worker, WorkerOptions};

use generate::Generate;
use nexus::AwaitVideoByNexus;
use workflows::{ArchiveAsChild, AwaitVideo};

/// The task queue of the worker in this example, not the archiver's.
const TASK_QUEUE: &str = "archive-example-rust";

/// Archives the video of a task, or creates the task too, and prints the URL of its receipt.
#[derive(Parser)]
struct Arguments {
    mode: Mode,
    /// Task id, `cgt-…`, or the id of an order for `generate`.
    id: String,
}

#[derive(Clone, Copy, ValueEnum)]
enum Mode {
    /// Run a workflow that calls the Nexus operation `AwaitVideoTask`.
    Nexus,
    /// Run a workflow that calls the activity `AwaitVideoTask`.
    Await,
    /// Run a workflow that starts a child workflow.
    Child,
    /// Run a workflow that creates a task for an order and archives its video.
    Generate,
    /// Start the lifecycle from the client, without a workflow.
    Start,
    /// Run the archiver in this process. Requires SEEDANCE_API_KEY and SEEDANCE_ARCHIVE_URL.
    Embedded,
}

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let Arguments { mode, id } = Arguments::parse();
    // The error is not `Send`, so only its text is kept.
    let (connection, options) =
        ClientOptions::load_from_config(LoadClientConfigProfileOptions::default())
            .map_err(|error| anyhow!("{error}"))?;
    let client = Client::new(Connection::connect(connection).await?, options)?;
    let result = match mode {
        Mode::Start => client::archive(&client, &id).await?,
        Mode::Embedded => embedded::archive(&client, &id).await?,
        _ => run_workflow(&client, mode, &id).await?,
    };
    Ok(report(&result))
}

/// Runs a workflow and the worker that it needs.
async fn run_workflow(
    client: &Client,
    mode: Mode,
    id: &str,
) -> anyhow::Result<VideoTaskLifecycleResult> {
    let options = WorkerOptions::new(TASK_QUEUE)
        .register_workflow::<AwaitVideoByNexus>()?
        .register_workflow::<AwaitVideo>()?
        .register_workflow::<ArchiveAsChild>()?
        .register_workflow::<Generate>()?
        .build();
    let runtime = Runtime::from_current_tokio(Default::default())?;
    let mut worker = Worker::new(&runtime, client.clone(), options)?;
    let shut_down = worker.shutdown_handle();

    let result = async {
        let result = result_of(client, mode, id).await;
        shut_down();
        result
    };
    let (worker_result, result) = futures::join!(worker.run(), result);
    worker_result?;
    result
}

/// Starts or joins the workflow of a mode, and returns its result.
async fn result_of(
    client: &Client,
    mode: Mode,
    id: &str,
) -> anyhow::Result<VideoTaskLifecycleResult> {
    let name = mode.to_possible_value();
    let name = name.as_ref().map_or("", |value| value.get_name());
    let options = WorkflowStartOptions::new(TASK_QUEUE, format!("archive-example/{name}/{id}"))
        .id_conflict_policy(WorkflowIdConflictPolicy::UseExisting)
        .build();
    let get = WorkflowGetResultOptions::default();
    let id = id.to_owned();
    let result = match mode {
        Mode::Nexus => {
            let handle = client.start_workflow(AwaitVideoByNexus::run, id, options);
            handle.await?.get_result(get).await?
        }
        Mode::Child => {
            let handle = client.start_workflow(ArchiveAsChild::run, id, options);
            handle.await?.get_result(get).await?
        }
        Mode::Generate => {
            let handle = client.start_workflow(Generate::run, id, options);
            let result = handle.await?.get_result(get).await?;
            return Ok(without_submission(result.into_message()));
        }
        _ => {
            let handle = client.start_workflow(AwaitVideo::run, id, options);
            handle.await?.get_result(get).await?
        }
    };
    Ok(result.into_message())
}

fn without_submission(result: GenerateVideoResult) -> VideoTaskLifecycleResult {
    VideoTaskLifecycleResult {
        outcome: result.outcome,
        task: result.task,
        manifest: result.manifest,
        reason: result.reason,
        message: result.message,
        warnings: result.warnings,
    }
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
