//! `seedance-archiver sweep`.

use std::{process::ExitCode, time::Duration};

use anyhow::Context;
use jiff::SignedDuration;
use seedance_archiver_proto::{
    names,
    v1::{SweepVideoTasksRequest, SweepVideoTasksResult},
};
use seedance_archiver_workflows::{details, request};
use serde::Serialize;
use temporalio_client::{Client, NamespacedClient};

use super::{
    output::{Output, print_json},
    progress::Spinner,
    session,
    shutdown::{Interrupted, Shutdown},
};
use crate::{
    config, telemetry,
    temporal::sweeps::{
        self,
        schedule::{MIN_INTERVAL, Schedule},
    },
};

/// Start a lifecycle for every recent task that has none
///
/// A worker lists the account's tasks of the last 7 days, and skips those that are archived, have a
/// final outcome or a running lifecycle, or whose lifecycle ended within the last hour. With --every, a Temporal Schedule repeats the sweep.
/// Exits with 1 if tasks were skipped because of errors, or a list could not be read to its end.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  seedance-archiver sweep               sweep once, now
  seedance-archiver sweep --every 1h    sweep now and every hour")]
pub(super) struct Args {
    /// Account to sweep.
    #[arg(long, default_value = names::DEFAULT_ACCOUNT)]
    account: String,
    /// Create or update the Temporal Schedule that repeats the sweep, e.g. `1h`.
    #[arg(long, value_name = "TIME", value_parser = interval)]
    every: Option<Duration>,
    /// Output format.
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

/// The document of `--every --output json`.
#[derive(Serialize)]
struct Scheduled {
    schedule_id: String,
    every_seconds: u64,
    /// `created`, `updated` or `unchanged`.
    done: &'static str,
}

fn interval(text: &str) -> Result<Duration, String> {
    let every = config::duration(text)?;
    if every < MIN_INTERVAL {
        return Err(
            "must be at least 1m: each sweep lists every page of tasks, and the API allows one list \
             request per second; use callbacks to archive videos as soon as they finish"
                .into(),
        );
    }
    if every.subsec_nanos() != 0 {
        return Err("must be a whole number of seconds".into());
    }
    Ok(every)
}

pub(super) async fn run(args: Args, shutdown: &Shutdown) -> anyhow::Result<ExitCode> {
    telemetry::init("error");
    request::check_account(&args.account)?;
    let client = shutdown.run_until_requested(session::connect()).await?;
    let task_queue = config::task_queue(session::variable)?;
    let work = async {
        match args.every {
            Some(every) => schedule(&args, &client, task_queue, every).await,
            None => sweep(&args, &client, &task_queue).await,
        }
    };
    let done = shutdown.run_until_requested(work).await;
    done.inspect_err(|error| {
        if error.is::<Interrupted>() {
            errln!(
                "The sweep keeps running in Temporal. To follow it, run the same command again; \
                 to stop it, cancel its workflow."
            );
        }
    })
}

/// Sweeps once and waits for the result.
async fn sweep(args: &Args, client: &Client, task_queue: &str) -> anyhow::Result<ExitCode> {
    let request = SweepVideoTasksRequest {
        account: args.account.clone(),
        ..SweepVideoTasksRequest::default()
    };
    let spinner = Spinner::start("sweeping: waiting for a worker");
    let followed = async {
        let sweep = sweeps::start(client, task_queue, request).await?;
        let mut last = String::new();
        let follow = sweep.follow(|progress| {
            if progress != last {
                spinner.set_message(&progress);
                last = progress;
            }
        });
        follow.await
    };
    let result = followed.await;
    spinner.clear();
    let result = result?;
    print(args.output, &result)?;
    Ok(match details::has_skipped(&result) {
        true => ExitCode::FAILURE,
        false => ExitCode::SUCCESS,
    })
}

fn print(output: Output, result: &SweepVideoTasksResult) -> anyhow::Result<()> {
    match output {
        // The JSON of the message would leave out counts that are 0.
        Output::Json => print_json(&serde_json::json!({
            "listed": result.listed,
            "archived": result.archived,
            "ended": result.ended,
            "running": result.running,
            "started": result.started,
            "skipped": result.skipped,
            "incomplete_lists": result.incomplete_lists,
        }))?,
        Output::Text => outln!("{}", details::for_sweep(result)),
    }
    Ok(())
}

/// Creates or updates the schedule.
async fn schedule(
    args: &Args,
    client: &Client,
    task_queue: String,
    every: Duration,
) -> anyhow::Result<ExitCode> {
    let schedule = Schedule {
        account: args.account.clone(),
        interval: every,
        task_queue,
    };
    let id = schedule.id();
    let ensured = schedule.ensure(client).await;
    let ensured =
        ensured.with_context(|| format!("cannot create or update the schedule `{id}`"))?;
    let done = ensured.name();
    match args.output {
        Output::Json => print_json(&Scheduled {
            schedule_id: id.clone(),
            every_seconds: every.as_secs(),
            done,
        })?,
        Output::Text => outln!(
            "schedule {id} {done}: sweeps every {:#}",
            SignedDuration::try_from(every)?
        ),
    }
    errln!(
        "To delete the schedule: temporal schedule delete --namespace {} --schedule-id {id}",
        client.namespace(),
    );
    Ok(ExitCode::SUCCESS)
}
