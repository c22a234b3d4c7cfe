//! `seedance-archiver status`.

use std::process::ExitCode;

use anyhow::bail;
use indicatif::HumanBytes;
use seedance_archiver_proto::{
    names::{self, search_attribute},
    v1::VideoTask,
};
use temporalio_client::NamespacedClient;

use super::{
    output::{Output, print_json},
    query, session,
    shutdown::Shutdown,
    table::print_facts,
    task_args::TaskArgs,
    text::time_with_age,
};
use crate::{
    telemetry,
    temporal::lifecycles::{Lifecycle, LifecycleStatus, PendingActivity},
};

/// Show the status of a task's lifecycle
///
/// Reads the workflow's progress and its pending activity from Temporal; sends no request to the Seedance
/// API. Exits with 1 if the task has no lifecycle.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  seedance-archiver status cgt-2026…-hj94q                 show progress, pending activity and deadline
  seedance-archiver status cgt-2026…-hj94q --account eu
  seedance-archiver status cgt-2026…-hj94q --output json | jq -r .result.outcome")]
pub(super) struct Args {
    #[command(flatten)]
    task: TaskArgs,
}

pub(super) async fn run(
    Args { task: args }: Args,
    shutdown: &Shutdown,
) -> anyhow::Result<ExitCode> {
    telemetry::init("error");
    args.check()?;
    let client = shutdown.run_until_requested(session::connect()).await?;
    let lifecycle = Lifecycle::for_task(&client, &args.account, &args.task_id);
    let status = shutdown
        .run_until_requested(async { Ok(lifecycle.status().await?) })
        .await?;
    let Some(status) = status else {
        bail!(
            "task `{}` has no lifecycle: the workflow `{}` was not found in the namespace `{}`, \
             or its retention has passed; start it with `seedance-archiver archive`, or query the \
             task with `seedance-archiver query`",
            args.task_id,
            names::lifecycle_workflow_id(&args.account, &args.task_id),
            client.namespace(),
        );
    };
    match args.output {
        Output::Json => print_json(&status)?,
        Output::Text => print(&status),
    }
    Ok(ExitCode::SUCCESS)
}

fn print(status: &LifecycleStatus) {
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
