//! `seedance-archiver demo`.

mod next_steps;
mod nexus_caller;

use std::{process::ExitCode, time::Duration};

use anyhow::Context;
use seedance_archiver_policy::poll::PollSchedule;
use seedance_archiver_proto::{names, outcome, v1::VideoTaskLifecycleRequest};
use seedance_archiver_simulator::Simulator;
use temporalio_client::Client;

use super::{
    follow, output::Output, report::Report, session, shutdown::Shutdown, task_result::TaskResult,
};
use crate::{
    config::{Account, Accounts, Config},
    dev_server::DevServer,
    telemetry,
};
use next_steps::NextSteps;

/// Run everything locally: a Temporal server, a simulated Seedance API and a worker
///
/// Creates eight tasks and archives their videos into ./seedance-archive. A workflow waits for the first one by a Nexus
/// operation. Needs no API key.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  seedance-archiver demo                  run eight tasks, with every terminal status
  seedance-archiver demo --stay           keep running, to explore the Temporal UI
  seedance-archiver demo --output json    print one JSON document")]
pub(super) struct Args {
    /// Keep everything running until Ctrl-C, to explore the Temporal UI.
    #[arg(long)]
    stay: bool,
    /// Output format.
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

/// Prompts, each with the script that the simulator follows for its task.
const PROMPTS: [&str; 8] = [
    "a kite over the sea --simulate ending=succeeded,queued=1,running=4",
    "a harbour at dawn --simulate ending=succeeded,queued=2,running=6,bytes=24000000,bytes_per_second=6000000",
    "rain on a tin roof, with sound --simulate ending=succeeded,queued=1,running=8,bytes=60000000,bytes_per_second=12000000",
    "a train through snow --simulate ending=succeeded,queued=3,running=10,bytes=120000000,bytes_per_second=24000000",
    "a street market, with sound --simulate ending=succeeded,queued=2,running=3,bytes=9000000,bytes_per_second=3000000",
    "a prompt that the content filter rejects --simulate ending=failed,queued=1,running=5",
    "a task that is cancelled while queued --simulate ending=cancelled,queued=4",
    "a task that times out --simulate ending=expired,queued=2,running=9",
];

/// Poll interval, short enough to watch the polls.
const MIN_POLL_INTERVAL: Duration = Duration::from_millis(700);

pub(super) async fn run(args: Args, shutdown: &Shutdown) -> anyhow::Result<ExitCode> {
    telemetry::init("error");
    let server = shutdown
        .run_until_requested(session::start_dev_server())
        .await?;
    let exit_code = run_with_server(&args, shutdown, &server).await;
    server.stop().await;
    exit_code
}

async fn run_with_server(
    args: &Args,
    shutdown: &Shutdown,
    server: &DevServer,
) -> anyhow::Result<ExitCode> {
    let simulator = Simulator::builder()
        .start()
        .await
        .context("cannot start the simulator")?;
    let config = config(&simulator)?;
    let ui_url = server.ui_url.clone().unwrap_or_default();
    let work = async {
        errln!("Temporal UI: {ui_url}\nArchive: {}\n", config.archive_url);
        let archived = archive(&server.client, &simulator, &config.task_queue);
        let results = shutdown.run_until_requested(archived).await?;
        let task_id = results.first().map(|result| result.task_id.clone());
        let task_id = task_id.unwrap_or_default();
        let report = Report::new(&ui_url, config.archive_url.as_str(), results);
        // The table is not part of the progress lines above it.
        errln!("");
        report.print(args.output)?;
        let next_steps = NextSteps::new(config.archive_url.as_str());
        if args.stay {
            let next_steps = next_steps.during_demo(server, &task_id);
            let caller = nexus_caller::url(&ui_url, &task_id);
            errln!(
                "\nTemporal UI: {ui_url}\nA workflow that waited with Nexus: {caller}\n\n{next_steps}\n"
            );
            errln!("Press Ctrl-C to stop the demo.");
            shutdown.requested().await;
        } else {
            errln!("\n{}", next_steps.after_demo());
        }
        Ok(report.exit_code(&[outcome::ARCHIVED, outcome::UNSUCCESSFUL]))
    };
    session::with_worker(&server.client, &config, work).await
}

/// Creates the tasks and follows their lifecycles, while a workflow waits for the first task.
async fn archive(
    client: &Client,
    simulator: &Simulator,
    task_queue: &str,
) -> anyhow::Result<Vec<TaskResult>> {
    let requests = create_tasks(simulator).await?;
    let task_id = requests.first().map(|request| request.task_id.clone());
    let followed = async { Ok(follow::follow_all(client, task_queue, requests).await) };
    nexus_caller::with_caller(client, &task_id.unwrap_or_default(), followed).await
}

fn config(simulator: &Simulator) -> anyhow::Result<Config> {
    let base_url = simulator
        .base_url()
        .parse()
        .context("invalid base URL of the simulator")?;
    let api_key = simulator.api_key().to_owned().into();
    let account = Account {
        schedule: PollSchedule {
            min_interval: MIN_POLL_INTERVAL,
            ..PollSchedule::default()
        },
        ..Account::new(names::DEFAULT_ACCOUNT, base_url, api_key)
    };
    Ok(Config {
        accounts: Accounts::from_iter([account]),
        archive_url: session::local_archive()?,
        task_queue: names::TASK_QUEUE.into(),
        ingress_address: None,
        worker: Default::default(),
    })
}

/// Creates a task for each prompt, as any client of the API would, and returns the requests to archive
/// them.
async fn create_tasks(simulator: &Simulator) -> anyhow::Result<Vec<VideoTaskLifecycleRequest>> {
    let http = reqwest::Client::builder().no_proxy().build()?;
    let mut requests = Vec::new();
    for prompt in PROMPTS {
        let body = serde_json::json!({
            "model": "seedance-1-5-pro-251215",
            "content": [{"type": "text", "text": prompt}],
            "generate_audio": prompt.contains("with sound"),
        });
        let created = http
            .post(format!(
                "{}/contents/generations/tasks",
                simulator.base_url()
            ))
            .bearer_auth(simulator.api_key())
            .header("content-type", "application/json")
            .body(body.to_string())
            .send()
            .await?
            .error_for_status()?
            .bytes()
            .await?;
        let created: serde_json::Value = serde_json::from_slice(&created)?;
        let task_id = created["id"]
            .as_str()
            .context("the simulator returned no task id")?;
        requests.push(VideoTaskLifecycleRequest {
            task_id: task_id.to_owned(),
            ..VideoTaskLifecycleRequest::default()
        });
    }
    Ok(requests)
}
