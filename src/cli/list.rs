//! `seedance-archiver list`.

mod drafts;
mod registered;

use std::{process::ExitCode, time::Duration};

use anyhow::{Context, anyhow, ensure};
use comfy_table::ColumnConstraint;
use seedance_archiver_clock::Clock;
use seedance_archiver_proto::{outcome, status};
use seedance_archiver_workflows::{attributes::MAX_VALUE, request};
use temporalio_client::{Client, NamespacedClient};

use super::{
    output::{Output, print_json},
    session,
    shutdown::Shutdown,
    table,
    text::{deadline, time_with_age},
};
use crate::{
    config, telemetry,
    temporal::lifecycles::{self, ExecutionStatus, Filter, LifecycleSummary, List},
};

/// List lifecycles by account, status, outcome, deadline or user
///
/// Reads the search attributes of the lifecycles from Temporal, which are updated with a short delay.
/// Lists the newest first, or with --before-deadline the most urgent. With --drafts, lists the drafts of which a
/// final video can still be made, the most urgent first, with their finals.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  seedance-archiver list                          the newest lifecycles
  seedance-archiver list --before-deadline 6h     running lifecycles with at most 6 hours left
  seedance-archiver list --outcome lost           lost videos
  seedance-archiver list --drafts                 drafts of which a final can still be made
  seedance-archiver list --user user-7            lifecycles of a user's tasks
  seedance-archiver list --status running --account eu --limit 500 --output json")]
pub(super) struct Args {
    /// Last known status of the task: queued, running, succeeded, failed, cancelled, expired, or a status
    /// that a gateway defines.
    #[arg(long)]
    status: Option<String>,
    /// Outcome of the lifecycle.
    #[arg(long, value_parser = outcome::ALL)]
    outcome: Option<String>,
    /// List only running lifecycles with at most this much time left, e.g. `6h`.
    #[arg(long, value_name = "TIME", value_parser = config::duration)]
    before_deadline: Option<Duration>,
    /// List only drafts of which a final video can still be made, until when, and the finals that have a lifecycle.
    /// A final that was made elsewhere and has no lifecycle is not known.
    #[arg(long, conflicts_with_all = ["status", "outcome", "before_deadline"])]
    drafts: bool,
    /// Account of the task.
    #[arg(long)]
    account: Option<String>,
    /// User of the task: its `safety_identifier`, exactly. Needs the search attribute `SeedanceUser`, which an operator has to
    /// register.
    #[arg(
        long,
        value_name = "ID",
        allow_hyphen_values = true,
        conflicts_with = "drafts"
    )]
    user: Option<String>,
    /// Maximum number of lifecycles.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..))]
    limit: u16,
    /// Output format.
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

const ACCOUNT_COLUMN: usize = 1;
const MODEL_COLUMN: usize = 2;
const DRAFT_COLUMN: usize = 6;
const USER_COLUMN: usize = 7;

pub(super) async fn run(args: Args, shutdown: &Shutdown) -> anyhow::Result<ExitCode> {
    telemetry::init("error");
    if let Some(account) = &args.account {
        let checked = request::check_account(account);
        checked.map_err(|error| anyhow!("--account {}", error.problem))?;
    }
    let filter = filter(&args)?;
    let client = shutdown.run_until_requested(session::connect()).await?;
    if args.drafts {
        let found = drafts::find(&client, args.account, args.limit);
        drafts::print(&shutdown.run_until_requested(found).await?, args.output)?;
        return Ok(ExitCode::SUCCESS);
    }
    let found = shutdown
        .run_until_requested(find(&client, &filter, args.limit))
        .await?;
    match args.output {
        Output::Json => print_json(&found)?,
        Output::Text => print(&found, args.limit),
    }
    Ok(ExitCode::SUCCESS)
}

fn filter(args: &Args) -> anyhow::Result<Filter> {
    if let Some(user) = &args.user {
        check_user(user)?;
    }
    if let Some(status) = &args.status
        && !status::ALL.contains(&status.as_str())
    {
        errln!(
            "note: `{status}` is not a status of the Seedance API ({}); it matches only tasks of \
             gateways that define it",
            status::ALL.join(", ")
        );
    }
    let deadline_before = args.before_deadline.map(|time| {
        let deadline = Clock::default().now().checked_add(time);
        deadline.context("--before-deadline is too long")
    });
    Ok(Filter {
        account: args.account.clone(),
        status: args.status.clone(),
        outcome: args.outcome.clone(),
        user: args.user.clone(),
        deadline_before: deadline_before.transpose()?,
    })
}

/// Checks that lifecycles can have this value of `SeedanceUser`.
fn check_user(user: &str) -> anyhow::Result<()> {
    let length = user.chars().count();
    ensure!(
        length > 0,
        "--user is empty, and tasks without a `safety_identifier` belong to no user; pass an ID"
    );
    ensure!(
        length <= MAX_VALUE,
        "--user has {length} characters, and lifecycles write no ID of more than {MAX_VALUE}; use `receipts`"
    );
    ensure!(
        !user.contains('\\'),
        "--user contains a backslash, which Temporal servers read in different ways; use `receipts`"
    );
    Ok(())
}

async fn find(client: &Client, filter: &Filter, limit: u16) -> anyhow::Result<List> {
    let missing = registered::check(client, filter.attributes()).await?;
    let namespace = client.namespace();
    if !missing.is_empty() {
        errln!(
            "note: the namespace `{namespace}` lacks search attributes, so columns are empty; \
             run `seedance-archiver setup` to register them"
        );
    }
    let found = lifecycles::list(client, filter, limit.into()).await;
    found.map_err(|error| anyhow!("cannot list lifecycles: {error}"))
}

fn print(found: &List, limit: u16) {
    if found.lifecycles.is_empty() {
        outln!("no lifecycles found");
        return;
    }
    let mut table = table::table([
        "task", "account", "model", "status", "outcome", "deadline", "draft", "user", "started",
    ]);
    for lifecycle in &found.lifecycles {
        table.add_row(table::row(row(lifecycle)));
    }
    let has_drafts = found.lifecycles.iter().any(is_of_draft);
    let has_users = found.lifecycles.iter().any(|it| !it.user.is_empty());
    for (is_used, column) in [(has_drafts, DRAFT_COLUMN), (has_users, USER_COLUMN)] {
        if !is_used && let Some(column) = table.column_mut(column) {
            column.set_constraint(ColumnConstraint::Hidden);
        }
    }
    let optional = [MODEL_COLUMN, ACCOUNT_COLUMN, USER_COLUMN, DRAFT_COLUMN];
    table::fit(&mut table, &optional);
    outln!("{}", table.trim_fmt());
    if found.total > found.lifecycles.len() {
        outln!(
            "{} of about {}; use --limit {} to show more",
            found.lifecycles.len(),
            found.total,
            limit.saturating_mul(10)
        );
    }
}

/// Returns whether the lifecycle is that of a draft, or of a final made from one.
fn is_of_draft(lifecycle: &LifecycleSummary) -> bool {
    lifecycle.is_draft || !lifecycle.draft_task_id.is_empty()
}

/// Returns what is to be said about a draft or a final made from one.
fn draft(lifecycle: &LifecycleSummary) -> String {
    match lifecycle.draft_deadline {
        _ if !lifecycle.draft_task_id.is_empty() => format!("from {}", lifecycle.draft_task_id),
        0 if lifecycle.is_draft => "draft".to_owned(),
        0 => String::new(),
        until => format!("draft, final until {}", deadline(until)),
    }
}

fn row(lifecycle: &LifecycleSummary) -> [String; 9] {
    let is_running = lifecycle.execution == ExecutionStatus::Running;
    // A lifecycle that was terminated, cancelled or timed out has no outcome.
    let outcome = match lifecycle.outcome.as_str() {
        "" if is_running => String::new(),
        "" => format!("({})", lifecycle.execution),
        outcome => outcome.to_owned(),
    };
    // The deadline of an ended lifecycle is irrelevant.
    let deadline = match is_running {
        true => deadline(lifecycle.archive_deadline),
        false => String::new(),
    };
    [
        lifecycle.task_id.clone(),
        lifecycle.account.clone(),
        lifecycle.model.clone(),
        lifecycle.status.clone(),
        outcome,
        deadline,
        draft(lifecycle),
        lifecycle.user.clone(),
        time_with_age(lifecycle.started_at),
    ]
}
