//! `seedance-archiver archive`.

use std::process::ExitCode;

use anyhow::Context;
use seedance_archiver_proto::{outcome, v1::VideoTaskLifecycleRequest};
use seedance_archiver_workflows::request::Check;
use temporalio_client::Client;

use super::{
    Output, follow, report, session,
    signals::{Interrupted, Stop},
};
use crate::{
    config::{self, Config},
    telemetry,
};

/// Archive the videos of these tasks and wait until they are
///
/// Starts a lifecycle for each task, or joins the one that is running. Exits 0 when every video is in
/// the archive.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  seedance-archiver archive cgt-2026…-hj94q cgt-2026…-k2x8w    through your Temporal and its workers
  seedance-archiver archive --account eu cgt-2026…-hj94q
  seedance-archiver archive --dev cgt-2026…-hj94q              with nothing but SEEDANCE_API_KEY")]
pub(super) struct Args {
    /// Task ids, `cgt-…`.
    #[arg(required = true)]
    task_ids: Vec<String>,
    /// Account that the tasks belong to.
    #[arg(long, default_value = "default")]
    account: String,
    /// Bring your own Temporal server and worker, in this process: needs only SEEDANCE_API_KEY, and
    /// archives into ./seedance-archive unless SEEDANCE_ARCHIVE_URL is set.
    #[arg(long)]
    dev: bool,
    /// How the result is printed.
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

pub(super) async fn run(args: Args, stop: &Stop) -> anyhow::Result<ExitCode> {
    telemetry::init("error");
    for request in requests(&args) {
        request
            .check()
            .with_context(|| format!("cannot archive {:?}", request.task_id))?;
    }
    if args.dev {
        with_dev_server(&args, stop).await
    } else {
        with_your_temporal(&args, stop).await
    }
}

async fn with_your_temporal(args: &Args, stop: &Stop) -> anyhow::Result<ExitCode> {
    let work = stop.unless_asked(async {
        let client = session::connect().await?;
        let task_queue = config::task_queue(session::variable);
        archive(args, &client, &task_queue, ("", "")).await
    });
    work.await.inspect_err(|error| {
        if error.is::<Interrupted>() {
            eprintln!(
                "The lifecycles go on in Temporal: run this again to follow them, or cancel them there."
            );
        }
    })
}

async fn with_dev_server(args: &Args, stop: &Stop) -> anyhow::Result<ExitCode> {
    let archive_url = session::local_archive()?;
    let config = Config::from_environment(session::variable, Some(archive_url))?;
    let server = stop.unless_asked(session::start_dev_server()).await?;
    let ui_url = server.ui_url.clone().unwrap_or_default();
    let urls = (ui_url.as_str(), config.archive_url.as_str());
    let work = archive(args, &server.client, &config.task_queue, urls);
    let work = stop.unless_asked(work);
    let done = session::with_worker(&server.client, &config, work).await;
    server.stop().await;
    done
}

async fn archive(
    args: &Args,
    client: &Client,
    task_queue: &str,
    (ui_url, archive_url): (&str, &str),
) -> anyhow::Result<ExitCode> {
    let videos = follow::to_the_end(client, task_queue, requests(args)).await;
    let report = report::Report::new(ui_url, archive_url, videos);
    report.print(args.output)?;
    Ok(report.exit_code(&[outcome::ARCHIVED]))
}

fn requests(args: &Args) -> Vec<VideoTaskLifecycleRequest> {
    args.task_ids
        .iter()
        .map(|task_id| VideoTaskLifecycleRequest {
            task_id: task_id.clone(),
            account: args.account.clone(),
            ..VideoTaskLifecycleRequest::default()
        })
        .collect()
}
