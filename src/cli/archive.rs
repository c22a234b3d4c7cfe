//! `seedance-archiver archive`.

use std::process::ExitCode;

use seedance_archiver_proto::{names, outcome, v1::VideoTaskLifecycleRequest, visible};
use seedance_archiver_workflows::request::check_account;
use serde::Serialize;
use temporalio_client::Client;

use super::{
    batch, follow,
    output::{Output, print_json},
    report::{MAX_TABLE_ROWS, Report},
    session,
    shutdown::{Interrupted, Shutdown},
    task_ids,
};
use crate::{config, telemetry};

/// Archive the videos of tasks and wait
///
/// Starts a lifecycle for each task, or joins the running one. Exits with 0 if every video is archived.
/// Running the same command again is safe: archived videos are not downloaded again.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// Task ids, `cgt-…`; `-` reads them from standard input, one per line.
    #[arg(required = true)]
    task_ids: Vec<String>,
    /// Account of the tasks.
    #[arg(long, default_value = names::DEFAULT_ACCOUNT)]
    account: String,
    /// Run a Temporal server and a worker in this process. Requires only SEEDANCE_API_KEY, and archives
    /// into ./seedance-archive unless SEEDANCE_ARCHIVE_URL is set.
    #[arg(long)]
    dev: bool,
    /// Start the lifecycles and exit without waiting for them.
    #[arg(long, conflicts_with = "dev")]
    detach: bool,
    /// Output format.
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

const EXAMPLES: &str = "Examples:
  seedance-archiver archive cgt-2026…-hj94q          archive a video and wait
  seedance-archiver archive --dev cgt-2026…-hj94q    with only an API key
  seedance-archiver archive - <ids.txt               read task ids from a file
  seedance-archiver archive --detach - <ids.txt      start the lifecycles and exit";

pub(super) async fn run(args: Args, shutdown: &Shutdown) -> anyhow::Result<ExitCode> {
    telemetry::init("error");
    let requests = requests(&args, shutdown).await?;
    if args.dev {
        run_with_dev_server(&args, requests, shutdown).await
    } else if args.detach {
        shutdown.run_until_requested(detach(&args, requests)).await
    } else {
        run_with_temporal(&args, requests, shutdown).await
    }
}

async fn run_with_temporal(
    args: &Args,
    requests: Vec<VideoTaskLifecycleRequest>,
    shutdown: &Shutdown,
) -> anyhow::Result<ExitCode> {
    let work = shutdown.run_until_requested(async {
        let client = session::connect().await?;
        let task_queue = config::task_queue(session::variable)?;
        archive(args, requests, &client, &task_queue, ("", "")).await
    });
    work.await.inspect_err(|error| {
        if error.is::<Interrupted>() {
            errln!(
                "The lifecycles keep running in Temporal. To follow them, run the same command again; \
                 to stop them, cancel their workflows."
            );
        }
    })
}

async fn run_with_dev_server(
    args: &Args,
    requests: Vec<VideoTaskLifecycleRequest>,
    shutdown: &Shutdown,
) -> anyhow::Result<ExitCode> {
    let config = session::private_worker()?;
    // No other worker serves the account later.
    config.accounts.get(&args.account)?;
    let server = shutdown
        .run_until_requested(session::start_dev_server())
        .await?;
    let ui_url = server.ui_url.clone().unwrap_or_default();
    let urls = (ui_url.as_str(), config.archive_url.as_str());
    let work = archive(args, requests, &server.client, &config.task_queue, urls);
    let work = shutdown.run_until_requested(work);
    let exit_code = session::with_worker(&server.client, &config, work).await;
    server.stop().await;
    exit_code
}

async fn archive(
    args: &Args,
    requests: Vec<VideoTaskLifecycleRequest>,
    client: &Client,
    task_queue: &str,
    (ui_url, archive_url): (&str, &str),
) -> anyhow::Result<ExitCode> {
    let results = if requests.len() > MAX_TABLE_ROWS {
        batch::follow_all(client, task_queue, requests).await
    } else {
        follow::follow_all(client, task_queue, requests).await
    };
    let report = Report::new(ui_url, archive_url, results);
    report.print(args.output)?;
    Ok(report.exit_code(&[outcome::ARCHIVED]))
}

/// Starts the lifecycles and prints their workflow ids.
async fn detach(args: &Args, requests: Vec<VideoTaskLifecycleRequest>) -> anyhow::Result<ExitCode> {
    let client = session::connect().await?;
    let task_queue = config::task_queue(session::variable)?;
    let mut started = Vec::new();
    let mut failed = 0;
    batch::start(
        &client,
        &task_queue,
        requests,
        |task_id, lifecycle| match lifecycle {
            Ok(lifecycle) => {
                if args.output == Output::Text {
                    outln!("{task_id}  {}", lifecycle.workflow_id());
                }
                started.push(Started {
                    task_id: task_id.to_owned(),
                    workflow_id: lifecycle.workflow_id().to_owned(),
                    run_id: lifecycle.run_id().to_owned(),
                });
            }
            Err(error) => {
                failed += 1;
                errln!("error: {}", visible::escape(&error.to_string()));
            }
        },
    )
    .await;
    if args.output == Output::Json {
        print_json(&started)?;
    }
    Ok(ExitCode::from(u8::from(failed > 0)))
}

/// A lifecycle that was started or joined.
#[derive(Serialize)]
struct Started {
    task_id: String,
    workflow_id: String,
    run_id: String,
}

async fn requests(
    args: &Args,
    shutdown: &Shutdown,
) -> anyhow::Result<Vec<VideoTaskLifecycleRequest>> {
    check_account(&args.account)?;
    let arguments = args.task_ids.clone();
    let read = shutdown.read_until_requested(move || task_ids::read(&arguments));
    let task_ids = read.await?;
    let request = |task_id| VideoTaskLifecycleRequest {
        task_id,
        account: args.account.clone(),
        ..VideoTaskLifecycleRequest::default()
    };
    Ok(task_ids.into_iter().map(request).collect())
}
