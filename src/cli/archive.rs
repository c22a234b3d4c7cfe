//! `seedance-archiver archive`.

use std::process::ExitCode;

use seedance_archiver_proto::{outcome, v1::VideoTaskLifecycleRequest};
use seedance_archiver_workflows::request::check_account;
use serde::Serialize;
use temporalio_client::Client;

use super::{
    Output, batch, follow, report, session,
    signals::{Interrupted, Stop},
    task_ids,
};
use crate::{
    config::{self, Config},
    telemetry,
};

/// Archive the videos of these tasks and wait until they are
///
/// Starts a lifecycle for each task, or joins the one that is running. Exits 0 when every video is in
/// the archive. It can be stopped and run again: what is archived is not fetched again.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// Task ids, `cgt-…`, or `-`: one on each line of standard input.
    #[arg(required = true)]
    task_ids: Vec<String>,
    /// Account that the tasks belong to.
    #[arg(long, default_value = "default")]
    account: String,
    /// Bring your own Temporal server and worker, in this process: needs only SEEDANCE_API_KEY, and
    /// archives into ./seedance-archive unless SEEDANCE_ARCHIVE_URL is set.
    #[arg(long)]
    dev: bool,
    /// Start the lifecycles and do not wait for them.
    #[arg(long, conflicts_with = "dev")]
    detach: bool,
    /// How the result is printed.
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

const EXAMPLES: &str = "Examples:
  seedance-archiver archive cgt-2026…-hj94q          wait until it is in the archive
  seedance-archiver archive --dev cgt-2026…-hj94q    with nothing but an API key
  seedance-archiver archive - <ids.txt               as many as you like
  seedance-archiver archive --detach - <ids.txt      and go";

pub(super) async fn run(args: Args, stop: &Stop) -> anyhow::Result<ExitCode> {
    telemetry::init("error");
    let requests = requests(&args)?;
    if args.dev {
        with_dev_server(&args, requests, stop).await
    } else if args.detach {
        stop.unless_asked(detach(&args, requests)).await
    } else {
        with_your_temporal(&args, requests, stop).await
    }
}

async fn with_your_temporal(
    args: &Args,
    requests: Vec<VideoTaskLifecycleRequest>,
    stop: &Stop,
) -> anyhow::Result<ExitCode> {
    let work = stop.unless_asked(async {
        let client = session::connect().await?;
        let task_queue = config::task_queue(session::variable);
        archive(args, requests, &client, &task_queue, ("", "")).await
    });
    work.await.inspect_err(|error| {
        if error.is::<Interrupted>() {
            eprintln!(
                "The lifecycles go on in Temporal: run this again to follow them, or cancel them there."
            );
        }
    })
}

async fn with_dev_server(
    args: &Args,
    requests: Vec<VideoTaskLifecycleRequest>,
    stop: &Stop,
) -> anyhow::Result<ExitCode> {
    let archive_url = session::local_archive()?;
    let config = Config::from_environment(session::variable, Some(archive_url))?;
    let server = stop.unless_asked(session::start_dev_server()).await?;
    let ui_url = server.ui_url.clone().unwrap_or_default();
    let urls = (ui_url.as_str(), config.archive_url.as_str());
    let work = archive(args, requests, &server.client, &config.task_queue, urls);
    let work = stop.unless_asked(work);
    let done = session::with_worker(&server.client, &config, work).await;
    server.stop().await;
    done
}

async fn archive(
    args: &Args,
    requests: Vec<VideoTaskLifecycleRequest>,
    client: &Client,
    task_queue: &str,
    (ui_url, archive_url): (&str, &str),
) -> anyhow::Result<ExitCode> {
    let videos = if requests.len() > report::FEW {
        batch::to_the_end(client, task_queue, requests).await
    } else {
        follow::to_the_end(client, task_queue, requests).await
    };
    let report = report::Report::new(ui_url, archive_url, videos);
    report.print(args.output)?;
    Ok(report.exit_code(&[outcome::ARCHIVED]))
}

/// Starts the lifecycles, and says where they are.
async fn detach(args: &Args, requests: Vec<VideoTaskLifecycleRequest>) -> anyhow::Result<ExitCode> {
    let client = session::connect().await?;
    let task_queue = config::task_queue(session::variable);
    let mut started = Vec::new();
    let mut failed = 0;
    batch::start(
        &client,
        &task_queue,
        requests,
        |task_id, lifecycle| match lifecycle {
            Ok(lifecycle) => {
                if args.output == Output::Text {
                    println!("{task_id}  {}", lifecycle.workflow_id());
                }
                started.push(Started {
                    task_id: task_id.to_owned(),
                    workflow_id: lifecycle.workflow_id().to_owned(),
                    run_id: lifecycle.run_id().to_owned(),
                });
            }
            Err(error) => {
                failed += 1;
                eprintln!("error: {error}");
            }
        },
    )
    .await;
    if args.output == Output::Json {
        println!("{}", serde_json::to_string_pretty(&started)?);
    }
    Ok(ExitCode::from(u8::from(failed > 0)))
}

/// A lifecycle that was started, or was running already.
#[derive(Serialize)]
struct Started {
    task_id: String,
    workflow_id: String,
    run_id: String,
}

fn requests(args: &Args) -> anyhow::Result<Vec<VideoTaskLifecycleRequest>> {
    check_account(&args.account)?;
    let task_ids = task_ids::read(&args.task_ids)?;
    let request = |task_id| VideoTaskLifecycleRequest {
        task_id,
        account: args.account.clone(),
        ..VideoTaskLifecycleRequest::default()
    };
    Ok(task_ids.into_iter().map(request).collect())
}
