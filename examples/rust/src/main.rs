//! Has the video of a task archived and prints where its receipt is.

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

/// The task queue of your own worker, not the archiver's.
const TASK_QUEUE: &str = "archive-example-rust";

/// Has the video of a task archived and prints where its receipt is.
#[derive(Parser)]
struct Arguments {
    way: Way,
    task_id: String,
}

#[derive(Clone, Copy, ValueEnum)]
enum Way {
    /// By a workflow that calls an activity.
    Await,
    /// By a workflow with a child workflow.
    Child,
    /// Without a workflow of its own.
    Start,
    /// With the archiver in this process: it needs SEEDANCE_API_KEY and SEEDANCE_ARCHIVE_URL.
    Embedded,
}

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let Arguments { way, task_id } = Arguments::parse();
    // Its error is not `Send`: keep the words.
    let (connection, options) =
        ClientOptions::load_from_config(LoadClientConfigProfileOptions::default())
            .map_err(|error| anyhow!("{error}"))?;
    let client = Client::new(Connection::connect(connection).await?, options)?;
    let result = match way {
        Way::Await | Way::Child => run_workflow(&client, way, &task_id).await?,
        Way::Start => client::archive(&client, &task_id).await?,
        Way::Embedded => embedded::archive(&client, &task_id).await?,
    };
    Ok(report(&result))
}

/// Runs a workflow beside a worker of its own.
async fn run_workflow(
    client: &Client,
    way: Way,
    task_id: &str,
) -> anyhow::Result<VideoTaskLifecycleResult> {
    let options = WorkerOptions::new(TASK_QUEUE)
        .register_workflow::<AwaitVideo>()?
        .register_workflow::<ArchiveAsChild>()?
        .build();
    let runtime = Runtime::from_current_tokio(Default::default())?;
    let mut worker = Worker::new(&runtime, client.clone(), options)?;
    let stop = worker.shutdown_handle();

    let result = async {
        let name = match way {
            Way::Child => "child",
            _ => "await",
        };
        let id = format!("archive-example/{name}/{task_id}");
        let options = WorkflowStartOptions::new(TASK_QUEUE, id)
            .id_conflict_policy(WorkflowIdConflictPolicy::UseExisting)
            .build();
        let task_id = task_id.to_owned();
        let get = WorkflowGetResultOptions::default();
        let result = match way {
            Way::Child => {
                let handle = client.start_workflow(ArchiveAsChild::run, task_id, options);
                handle.await?.get_result(get).await
            }
            _ => {
                let handle = client.start_workflow(AwaitVideo::run, task_id, options);
                handle.await?.get_result(get).await
            }
        };
        stop();
        anyhow::Ok(result?.into_message())
    };
    let (worked, result) = futures::join!(worker.run(), result);
    worked?;
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
