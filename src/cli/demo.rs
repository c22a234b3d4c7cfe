//! `seedance-archiver demo`.

mod next_steps;
mod nexus_caller;
mod tasks;

use std::{process::ExitCode, time::Duration};

use anyhow::{Context, ensure};
use seedance_archiver_policy::poll::PollSchedule;
use seedance_archiver_proto::{names, outcome};
use seedance_archiver_simulator::{Misuse, Simulator};
use temporalio_client::Client;

use super::{
    follow, output::Output, report::Report, session, shutdown::Shutdown, task_result::TaskResult,
};
use crate::{
    config::{Account, Accounts, Config},
    dev_server::DevServer,
    telemetry,
    temporal::generations::Generation,
};
use next_steps::NextSteps;
use tasks::Tasks;

/// Run everything locally: a Temporal server, a simulated Seedance API and a worker
///
/// Creates eight tasks and archives their videos into ./seedance-archive. A workflow waits for the first one by a Nexus
/// operation, and the workflow `GenerateVideo` creates the second one. Needs no API key.
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
        let (results, generation) = shutdown.run_until_requested(archived).await?;
        let task_id = results.first().map(|result| result.task_id.clone());
        let task_id = task_id.unwrap_or_default();
        let report = Report::new(&ui_url, config.archive_url.as_str(), results);
        // The table is not part of the progress lines above it.
        errln!("");
        report.print(args.output)?;
        check_requests(&simulator)?;
        let next_steps = NextSteps::new(config.archive_url.as_str());
        if args.stay {
            let next_steps = next_steps.during_demo(server, &task_id);
            let caller = url(&ui_url, &nexus_caller::workflow_id(&task_id));
            let generation = url(&ui_url, generation.workflow_id());
            errln!(
                "\nTemporal UI: {ui_url}\nA workflow that waited with Nexus: {caller}\n\
                 A workflow that created its task: {generation}\n\n{next_steps}\n"
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

/// Checks that the worker kept the API's rules.
fn check_requests(simulator: &Simulator) -> anyhow::Result<()> {
    let misuse = simulator.misuse();
    ensure!(
        misuse == Misuse::default(),
        "the worker sent requests that the API does not allow, which is a bug: {misuse:?}"
    );
    Ok(())
}

/// Creates the tasks and follows their lifecycles, while a workflow waits for the first task. Returns the results, and the
/// workflow that created one of the tasks.
async fn archive(
    client: &Client,
    simulator: &Simulator,
    task_queue: &str,
) -> anyhow::Result<(Vec<TaskResult>, Generation)> {
    let Tasks {
        requests,
        generation,
    } = tasks::create(client, simulator, task_queue).await?;
    let first = requests.first().map(|request| request.task_id.clone());
    let first = first.unwrap_or_default();
    let followed = async { Ok(follow::follow_all(client, task_queue, requests).await) };
    let results = nexus_caller::with_caller(client, &first, followed).await?;
    Ok((results, generation))
}

/// Returns the URL of a workflow in the Temporal UI.
fn url(ui_url: &str, workflow_id: &str) -> String {
    let workflow_id = workflow_id.replace('/', "%2F");
    format!("{ui_url}/namespaces/default/workflows/{workflow_id}")
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
