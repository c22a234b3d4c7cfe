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
    Output, session,
    signals::{Interrupted, Stop},
};
use crate::{
    config, telemetry,
    temporal::sweeps::{
        self,
        schedule::{Ensured, SHORTEST, Schedule},
    },
};

/// Start a lifecycle for every task of the last 7 days that has none
///
/// A worker of your Temporal lists the tasks of the account and leaves alone what is archived, has ended
/// or is being waited for. With --every it does so again and again, by a Temporal Schedule.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  seedance-archiver sweep               once, now
  seedance-archiver sweep --every 1h    now, and every hour from now on")]
pub(super) struct Args {
    /// Account whose tasks are swept.
    #[arg(long, default_value = names::DEFAULT_ACCOUNT)]
    account: String,
    /// Create the schedule that repeats it, or update it, e.g. `1h`.
    #[arg(long, value_name = "TIME", value_parser = interval)]
    every: Option<Duration>,
    /// How the result is printed.
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
    if every < SHORTEST {
        return Err(
            "the shortest is 1m: each sweep lists every page, and the service takes one list a second; \
             callbacks tell of a finished video at once"
                .into(),
        );
    }
    if every.subsec_nanos() != 0 {
        return Err("it must be whole seconds".into());
    }
    Ok(every)
}

pub(super) async fn run(args: Args, stop: &Stop) -> anyhow::Result<ExitCode> {
    telemetry::init("error");
    request::check_account(&args.account)?;
    let client = stop.unless_asked(session::connect()).await?;
    let task_queue = config::task_queue(session::variable);
    let work = async {
        match args.every {
            Some(every) => schedule(&args, &client, task_queue, every).await,
            None => once(&args, &client, &task_queue).await,
        }
    };
    let done = stop.unless_asked(work).await;
    done.inspect_err(|error| {
        if error.is::<Interrupted>() {
            eprintln!(
                "A sweep goes on in Temporal: run this again to follow it, or cancel it there."
            );
        }
    })
}

async fn once(args: &Args, client: &Client, task_queue: &str) -> anyhow::Result<ExitCode> {
    let request = SweepVideoTasksRequest {
        account: args.account.clone(),
        ..SweepVideoTasksRequest::default()
    };
    let line = session::step("sweeping: waiting for a worker")?;
    let followed = async {
        let sweep = sweeps::start(client, task_queue, request).await?;
        let mut last = String::new();
        let follow = sweep.follow(|doing| {
            if doing != last {
                session::show_step(&line, &doing);
                last = doing;
            }
        });
        follow.await
    };
    let followed = followed.await;
    line.finish_and_clear();
    print(args.output, &followed?)?;
    Ok(ExitCode::SUCCESS)
}

fn print(output: Output, result: &SweepVideoTasksResult) -> anyhow::Result<()> {
    match output {
        // All of its counts, those that are 0 too.
        Output::Json => {
            let counts = serde_json::json!({
                "listed": result.listed,
                "archived": result.archived,
                "ended": result.ended,
                "running": result.running,
                "started": result.started,
            });
            println!("{}", serde_json::to_string_pretty(&counts)?);
        }
        Output::Text => println!("{}", details::of_sweep(result)),
    }
    Ok(())
}

async fn schedule(
    args: &Args,
    client: &Client,
    task_queue: String,
    every: Duration,
) -> anyhow::Result<ExitCode> {
    let schedule = Schedule {
        account: args.account.clone(),
        every,
        task_queue,
    };
    let ensured = schedule.ensure(client).await;
    let ensured = ensured.context("cannot make the schedule")?;
    let done = match ensured {
        Ensured::Created => "created",
        Ensured::Updated => "updated",
        Ensured::Unchanged => "unchanged",
    };
    match args.output {
        Output::Json => {
            let scheduled = Scheduled {
                schedule_id: schedule.id(),
                every_seconds: every.as_secs(),
                done,
            };
            println!("{}", serde_json::to_string_pretty(&scheduled)?);
        }
        Output::Text => println!(
            "The schedule {} is {done}: a sweep every {:#}",
            schedule.id(),
            SignedDuration::try_from(every)?
        ),
    }
    eprintln!(
        "To remove it: temporal schedule delete --namespace {} --schedule-id {}",
        client.namespace(),
        schedule.id()
    );
    Ok(ExitCode::SUCCESS)
}
