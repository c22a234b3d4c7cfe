//! `seedance-archiver generate`.

mod args;
mod interrupted;
mod report;
mod request;

use std::process::ExitCode;

use anyhow::anyhow;
use seedance_archiver_proto::v1::GenerateVideoRequest;
use serde::Serialize;
use temporalio_client::Client;

use super::{
    follow,
    output::{Output, print_json},
    session,
    shutdown::{Interrupted, Shutdown},
};
use crate::{
    config, telemetry,
    temporal::{
        generations::{self, Generation},
        submissions::Submission,
    },
};

pub(super) use args::Args;

pub(super) async fn run(args: Args, shutdown: &Shutdown) -> anyhow::Result<ExitCode> {
    telemetry::init("error");
    let source = args.clone();
    let request = shutdown.read_until_requested(move || request::read(&source));
    let request = request.await?;
    match args.dev {
        true => run_with_dev_server(&args, request, shutdown).await,
        false => run_with_temporal(&args, request, shutdown).await,
    }
}

async fn run_with_temporal(
    args: &Args,
    request: GenerateVideoRequest,
    shutdown: &Shutdown,
) -> anyhow::Result<ExitCode> {
    let work = shutdown.run_until_requested(async {
        let client = session::connect().await?;
        let task_queue = config::task_queue(session::variable)?;
        let generation = start(&client, &task_queue, request).await?;
        match args.detach {
            true => print_started(&generation, args.output),
            false => follow_to_end(args, &generation, ("", "")).await,
        }
    });
    work.await.inspect_err(|error| {
        if error.is::<Interrupted>() {
            errln!(
                "The workflow keeps running in Temporal. To follow it, run the same command again: no second task is \
                 created."
            );
        }
    })
}

async fn run_with_dev_server(
    args: &Args,
    request: GenerateVideoRequest,
    shutdown: &Shutdown,
) -> anyhow::Result<ExitCode> {
    let config = session::private_worker()?;
    config.accounts.get(&args.account)?;
    let server = shutdown
        .run_until_requested(session::start_dev_server())
        .await?;
    let ui_url = server.ui_url.clone().unwrap_or_default();
    let urls = (ui_url.as_str(), config.archive_url.as_str());
    let work = async {
        let generation = generations::start(&server.client, &config.task_queue, request).await?;
        tokio::select! {
            exit_code = follow_to_end(args, &generation, urls) => exit_code,
            () = shutdown.requested() => {
                interrupted::explain(&generation, shutdown).await;
                Err(Interrupted.into())
            }
        }
    };
    let exit_code = session::with_worker(&server.client, &config, work).await;
    server.stop().await;
    exit_code
}

/// Starts the generation, or joins the running one, and prints the id of its submission.
async fn start(
    client: &Client,
    task_queue: &str,
    request: GenerateVideoRequest,
) -> anyhow::Result<Generation> {
    let id = request.submission_id.clone();
    let submission = Submission::new(client, &request.account, &id);
    let is_claimed = submission.is_claimed().await;
    let is_claimed =
        is_claimed.map_err(|error| anyhow!("{}: {error}", submission.workflow_id()))?;
    let generation = generations::start(client, task_queue, request).await?;
    match is_claimed {
        true => errln!("Submission: {id}, sent before; no second task is created"),
        false => errln!("Submission: {id}"),
    }
    Ok(generation)
}

/// A generation that was started or joined.
#[derive(Serialize)]
struct Started<'a> {
    submission_id: &'a str,
    workflow_id: &'a str,
    run_id: &'a str,
}

fn print_started(generation: &Generation, output: Output) -> anyhow::Result<ExitCode> {
    let started = Started {
        submission_id: generation.submission_id(),
        workflow_id: generation.workflow_id(),
        run_id: generation.run_id(),
    };
    match output {
        Output::Json => print_json(&started)?,
        Output::Text => outln!("{}  {}", started.submission_id, started.workflow_id),
    }
    Ok(ExitCode::SUCCESS)
}

/// Follows the generation to its end, and prints what became of it.
async fn follow_to_end(
    args: &Args,
    generation: &Generation,
    urls: (&str, &str),
) -> anyhow::Result<ExitCode> {
    let generated = follow::follow_generation(generation).await;
    report::print(args.output, generation, urls, generated)
}
