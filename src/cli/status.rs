//! `seedance-archiver status`.

use std::process::ExitCode;

use anyhow::{anyhow, bail};
use indicatif::HumanBytes;
use seedance_archiver_policy::watch::MIN_WATCHED;
use seedance_archiver_proto::{
    names::{self, QUERY_ACTIVITY_ID, search_attribute},
    v1::VideoTask,
};
use seedance_archiver_workflows::request;
use serde::Serialize;
use temporalio_client::{Client, NamespacedClient};

use super::{
    output::{Output, print_json},
    query, session,
    shutdown::Shutdown,
    table::print_facts,
    task_args,
    text::time_with_age,
    watcher::WatcherStatus,
};
use crate::{
    telemetry,
    temporal::lifecycles::{Lifecycle, LifecycleStatus, PendingActivity},
};

/// Show the status of a task's lifecycle, or of an account's watcher
///
/// Reads the workflow's progress and its pending activity from Temporal; sends no request to the Seedance
/// API. While the lifecycle waits, also shows the watcher that polls for it. Without a task id, shows only the
/// watcher of the account. Exits with 1 if the task has no lifecycle, or the account no watcher.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  seedance-archiver status cgt-2026…-hj94q                 show progress, pending activity and deadline
  seedance-archiver status cgt-2026…-hj94q --account eu
  seedance-archiver status cgt-2026…-hj94q --output json | jq -r .result.outcome
  seedance-archiver status --account eu                    show the watcher of the account")]
pub(super) struct Args {
    /// Task id, `cgt-…`. Without one, shows the watcher of the account.
    task_id: Option<String>,
    /// Account of the task, or of the watcher.
    #[arg(long, default_value = names::DEFAULT_ACCOUNT)]
    account: String,
    /// Output format.
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

/// The document of `--output json`.
#[derive(Serialize)]
struct TaskStatus {
    #[serde(flatten)]
    lifecycle: LifecycleStatus,
    /// The watcher of the account. `None` unless it is running and the lifecycle waits.
    watcher: Option<WatcherStatus>,
}

pub(super) async fn run(args: Args, shutdown: &Shutdown) -> anyhow::Result<ExitCode> {
    telemetry::init("error");
    if let Some(id) = &args.task_id {
        task_args::check_id(id)?;
    }
    let checked = request::check_account(&args.account);
    checked.map_err(|error| anyhow!("--account {}", error.problem))?;
    let client = shutdown.run_until_requested(session::connect()).await?;
    match &args.task_id {
        Some(id) => {
            let status = task_status(&client, &args.account, id);
            let status = shutdown.run_until_requested(status).await?;
            match args.output {
                Output::Json => print_json(&status)?,
                Output::Text => print(&status, id),
            }
        }
        None => {
            let watcher = watcher_status(&client, &args.account);
            let watcher = shutdown.run_until_requested(watcher).await?;
            match args.output {
                Output::Json => print_json(&watcher)?,
                Output::Text => print_facts(&watcher.facts(None)),
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn task_status(client: &Client, account: &str, task_id: &str) -> anyhow::Result<TaskStatus> {
    let lifecycle = Lifecycle::for_task(client, account, task_id);
    let Some(lifecycle) = lifecycle.status().await? else {
        bail!(
            "task `{task_id}` has no lifecycle: the workflow `{}` was not found in the namespace `{}`, \
             or its retention has passed; start it with `seedance-archiver archive`, or query the \
             task with `seedance-archiver query`",
            names::lifecycle_workflow_id(account, task_id),
            client.namespace(),
        );
    };
    let watcher = match is_waiting(&lifecycle) {
        true => WatcherStatus::of(client, account).await?,
        false => None,
    };
    Ok(TaskStatus { lifecycle, watcher })
}

async fn watcher_status(client: &Client, account: &str) -> anyhow::Result<WatcherStatus> {
    let Some(watcher) = WatcherStatus::of(client, account).await? else {
        bail!(
            "account `{account}` has no watcher: the workflow `{}` is not running in the namespace `{}`; \
             a worker starts it while {MIN_WATCHED} or more lifecycles of the account are open, if the account has \
             a list",
            names::watcher_workflow_id(account),
            client.namespace(),
        );
    };
    Ok(watcher)
}

/// Returns whether the lifecycle waits for a later status of its task.
fn is_waiting(status: &LifecycleStatus) -> bool {
    let pending = status.snapshot.pending.as_ref();
    pending.is_some_and(|pending| pending.activity == QUERY_ACTIVITY_ID)
}

fn print(
    TaskStatus {
        lifecycle: status,
        watcher,
    }: &TaskStatus,
    task_id: &str,
) {
    let snapshot = &status.snapshot;
    let mut facts = vec![
        ("workflow id", snapshot.workflow_id.clone()),
        ("run id", snapshot.run_id.clone()),
        ("history events", snapshot.history_events.to_string()),
        ("started", time_with_age(snapshot.started_at)),
        ("ended", time_with_age(snapshot.ended_at)),
        ("execution", snapshot.execution.to_string()),
    ];
    facts.extend(snapshot.pending.iter().flat_map(pending_facts));
    if let Some(reason) = &status.progress_error {
        let note = format!("{reason}; showing what the Temporal server knows");
        facts.push(("progress", note));
    }
    facts.extend(result_facts(status));
    facts.extend(query::facts(&task(status)));
    if let Some(watcher) = watcher {
        facts.extend(watcher.facts(Some(task_id)));
    }
    print_facts(&facts);
}

/// Returns the properties of the task, from the result, the progress or the search attributes.
fn task(status: &LifecycleStatus) -> VideoTask {
    let in_result = status
        .result
        .as_ref()
        .and_then(|result| result.task.clone());
    let progress = status.progress.as_ref();
    let task = in_result.or_else(|| progress.and_then(|progress| progress.task.clone()));
    task.unwrap_or_else(|| {
        let attributes = &status.snapshot.search_attributes;
        let attribute = |name: &str| attributes.get(name).to_owned();
        VideoTask {
            id: attribute(search_attribute::TASK_ID),
            status: attribute(search_attribute::STATUS),
            model: attribute(search_attribute::MODEL),
            archive_deadline: attributes.archive_deadline(),
            ..VideoTask::default()
        }
    })
}

fn pending_facts(pending: &PendingActivity) -> Vec<(&'static str, String)> {
    let attempt = format!("`{}`, attempt {}", pending.activity, pending.attempt);
    let activity = match pending.is_running {
        true => format!("{attempt}, running on {}", pending.worker),
        false => attempt,
    };
    let transferred = match (pending.bytes_done, pending.bytes_total) {
        (0, 0) => String::new(),
        (done, 0) => HumanBytes(done).to_string(),
        (done, total) => format!("{} of {}", HumanBytes(done), HumanBytes(total)),
    };
    vec![
        ("pending activity", activity),
        ("next attempt", time_with_age(pending.next_attempt_at)),
        ("last message", pending.last_message.clone()),
        ("transferred", transferred),
    ]
}

fn result_facts(status: &LifecycleStatus) -> Vec<(&'static str, String)> {
    let Some(result) = &status.result else {
        return vec![("failure", status.result_error.clone().unwrap_or_default())];
    };
    let receipt = result.manifest.as_ref();
    let receipt = receipt.map(|receipt| receipt.manifest_url.clone());
    vec![
        ("outcome", result.outcome.clone()),
        ("reason", result.reason.clone()),
        ("message", result.message.clone()),
        ("receipt", receipt.unwrap_or_default()),
        ("warnings", result.warnings.join("; ")),
    ]
}
