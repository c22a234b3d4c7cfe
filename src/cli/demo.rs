//! `seedance-archiver demo`: the whole thing on this machine, with nothing but itself.

use std::{process::ExitCode, time::Duration};

use anyhow::Context;
use seedance_archiver_policy::poll::PollSchedule;
use seedance_archiver_proto::{names, outcome, v1::VideoTaskLifecycleRequest};
use seedance_archiver_simulator::Simulator;

use super::{
    Output,
    follow::{self, Followed},
    report::Report,
    session,
    signals::Stop,
};
use crate::{
    config::{Account, Accounts, Config},
    dev_server::DevServer,
    telemetry,
};

/// See it work: a Temporal server, a simulated Seedance and a worker, and eight tasks
///
/// Archives into ./seedance-archive.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  seedance-archiver demo                  eight tasks, to each of the four statuses
  seedance-archiver demo --stay           and then look around in Temporal's Web UI
  seedance-archiver demo --output json    one document instead of the table")]
pub(super) struct Args {
    /// Keep everything up until Ctrl-C, to look around in the Web UI.
    #[arg(long)]
    stay: bool,
    /// How the result is printed.
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

/// Tasks in the words of a prompt: what the simulator is to do with each.
const TASKS: [&str; 8] = [
    "a kite over the sea --simulate ending=succeeded,queued=1,running=4",
    "a harbour at dawn --simulate ending=succeeded,queued=2,running=6,bytes=24000000,bytes_per_second=6000000",
    "rain on a tin roof, with sound --simulate ending=succeeded,queued=1,running=8,bytes=60000000,bytes_per_second=12000000",
    "a train through snow --simulate ending=succeeded,queued=3,running=10,bytes=120000000,bytes_per_second=24000000",
    "a street market, with sound --simulate ending=succeeded,queued=2,running=3,bytes=9000000,bytes_per_second=3000000",
    "something the filter stops --simulate ending=failed,queued=1,running=5",
    "something nobody wants any more --simulate ending=cancelled,queued=4",
    "something that takes too long --simulate ending=expired,queued=2,running=9",
];

/// Questions follow each other fast enough to watch.
const MIN_POLL_INTERVAL: Duration = Duration::from_millis(700);

pub(super) async fn run(args: Args, stop: &Stop) -> anyhow::Result<ExitCode> {
    telemetry::init("error");
    let server = stop.unless_asked(session::start_dev_server()).await?;
    let done = with_server(&args, stop, &server).await;
    server.stop().await;
    done
}

async fn with_server(args: &Args, stop: &Stop, server: &DevServer) -> anyhow::Result<ExitCode> {
    let simulator = Simulator::builder()
        .start()
        .await
        .context("cannot start the simulator")?;
    let config = config(&simulator)?;
    let ui_url = server.ui_url.clone().unwrap_or_default();
    let work = async {
        eprintln!("Temporal UI: {ui_url}\nArchive: {}\n", config.archive_url);
        let videos = stop
            .unless_asked(run_tasks(&simulator, server, &config))
            .await?;
        let report = Report::new(&ui_url, config.archive_url.as_str(), videos);
        report.print(args.output)?;
        if args.stay {
            eprintln!("\nTemporal UI: {ui_url}\nPress Ctrl-C to stop everything.");
            stop.asked().await;
        } else {
            eprintln!("\nTemporal UI: {ui_url}, until now: --stay keeps it up");
        }
        Ok(report.exit_code(&[outcome::ARCHIVED, outcome::UNSUCCESSFUL]))
    };
    session::with_worker(&server.client, &config, work).await
}

async fn run_tasks(
    simulator: &Simulator,
    server: &DevServer,
    config: &Config,
) -> anyhow::Result<Vec<Followed>> {
    let requests = create_tasks(simulator).await?;
    Ok(follow::to_the_end(&server.client, &config.task_queue, requests).await)
}

fn config(simulator: &Simulator) -> anyhow::Result<Config> {
    let base_url = simulator
        .base_url()
        .parse()
        .context("the simulator's address")?;
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

/// Creates the tasks as any client of the API would.
async fn create_tasks(simulator: &Simulator) -> anyhow::Result<Vec<VideoTaskLifecycleRequest>> {
    let http = reqwest::Client::builder().no_proxy().build()?;
    let mut requests = Vec::new();
    for prompt in TASKS {
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
            .context("the simulator gave no task id")?;
        requests.push(VideoTaskLifecycleRequest {
            task_id: task_id.to_owned(),
            ..VideoTaskLifecycleRequest::default()
        });
    }
    Ok(requests)
}
