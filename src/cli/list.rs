//! `seedance-archiver list`.

use std::{
    process::ExitCode,
    time::{Duration, SystemTime},
};

use anyhow::{Context, anyhow, bail};
use seedance_archiver_proto::{outcome, status};
use seedance_archiver_workflows::request;
use temporalio_client::{Client, NamespacedClient};

use super::{
    Output, session,
    signals::Stop,
    words::{deadline, since, table},
};
use crate::{
    config, telemetry,
    temporal::{
        lifecycles::{self, ExecutionStatus, Filter, List},
        search_attributes,
    },
};

/// List lifecycles by what is known of their tasks
///
/// Asks Temporal, which knows what the lifecycles have written into their search attributes; it lags a
/// moment behind. The newest come first, with --before-deadline the most urgent.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  seedance-archiver list                          the newest
  seedance-archiver list --before-deadline 6h     which run and have no more than 6 hours left
  seedance-archiver list --outcome lost           what nobody could save
  seedance-archiver list --status running --account eu --limit 500 --output json")]
pub(super) struct Args {
    /// Only tasks that were last seen so: queued, running, succeeded, failed, cancelled, expired, or
    /// a gateway's own word.
    #[arg(long)]
    status: Option<String>,
    /// Only lifecycles that ended so.
    #[arg(long, value_parser = outcome::ALL)]
    outcome: Option<String>,
    /// Only lifecycles that run and whose deadline is no further away, e.g. `6h`.
    #[arg(long, value_name = "TIME", value_parser = config::duration)]
    before_deadline: Option<Duration>,
    /// Only tasks of this account.
    #[arg(long)]
    account: Option<String>,
    /// How many are listed.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..))]
    limit: u16,
    /// How the result is printed.
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

pub(super) async fn run(args: Args, stop: &Stop) -> anyhow::Result<ExitCode> {
    telemetry::init("error");
    let filter = filter(&args)?;
    let client = stop.unless_asked(session::connect()).await?;
    let found = stop
        .unless_asked(find(&client, &filter, args.limit))
        .await?;
    match args.output {
        Output::Json => println!("{}", serde_json::to_string_pretty(&found)?),
        Output::Text => print(&found, args.limit),
    }
    Ok(ExitCode::SUCCESS)
}

fn filter(args: &Args) -> anyhow::Result<Filter> {
    if let Some(account) = &args.account {
        let checked = request::check_account(account);
        checked.map_err(|error| anyhow!("--account {}", error.problem))?;
    }
    if let Some(word) = &args.status
        && !status::ALL.contains(&word.as_str())
    {
        eprintln!(
            "note: `{word}` is no status of Seedance's own, which are {}: it is found only where a \
             gateway says so",
            status::ALL.join(", ")
        );
    }
    let before = args.before_deadline;
    let deadline_before = before.map(|time| {
        let end = SystemTime::now().checked_add(time);
        end.context("--before-deadline is longer than time")
    });
    Ok(Filter {
        account: args.account.clone(),
        status: args.status.clone(),
        outcome: args.outcome.clone(),
        deadline_before: deadline_before.transpose()?,
    })
}

async fn find(client: &Client, filter: &Filter, limit: u16) -> anyhow::Result<List> {
    // Where they cannot be looked up, the list itself tells.
    let missing = search_attributes::missing(client).await.unwrap_or_default();
    let is_missing = |name: &str| missing.iter().any(|(missing, _)| *missing == name);
    let namespace = client.namespace();
    if let Some(name) = filter.attributes().find(|name| is_missing(name)) {
        bail!(
            "the namespace `{namespace}` does not have the search attribute {name}: \
             `seedance-archiver setup` registers it"
        );
    }
    if !missing.is_empty() {
        eprintln!(
            "note: the namespace `{namespace}` lacks search attributes, so columns stay empty: \
             `seedance-archiver setup` registers them"
        );
    }
    let found = lifecycles::list(client, filter, limit.into()).await;
    found.map_err(|error| anyhow!("cannot list lifecycles: {error}"))
}

fn print(found: &List, limit: u16) {
    if found.lifecycles.is_empty() {
        println!("no lifecycle is so");
        return;
    }
    let mut table = table([
        "task", "account", "model", "status", "outcome", "deadline", "started",
    ]);
    for it in &found.lifecycles {
        // One that was ended from outside has no outcome.
        let outcome = match (it.outcome.as_str(), it.execution) {
            ("", ExecutionStatus::Running) => String::new(),
            ("", execution) => format!("({execution})"),
            (outcome, _) => outcome.to_owned(),
        };
        // What has ended has no deadline any more.
        let deadline = match it.execution {
            ExecutionStatus::Running => deadline(it.archive_deadline),
            _ => String::new(),
        };
        table.add_row([
            it.task_id.clone(),
            it.account.clone(),
            it.model.clone(),
            it.status.clone(),
            outcome,
            deadline,
            since(it.started_at),
        ]);
    }
    println!("{}", table.trim_fmt());
    if found.total > found.lifecycles.len() {
        println!(
            "{} of about {}: --limit {} shows more",
            found.lifecycles.len(),
            found.total,
            limit.saturating_mul(10)
        );
    }
}
