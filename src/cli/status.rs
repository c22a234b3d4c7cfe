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
    Output, query, session,
    signals::Stop,
    task::Task,
    words::{print_pairs, since},
};
use crate::{
    telemetry,
    temporal::lifecycles::{Lifecycle, LifecycleStatus, PendingActivity},
};

/// Tell what the lifecycle of a task is doing
///
/// Asks Temporal, not Seedance: what the workflow knows, and what its pending activity is at. Exits 1
/// where the task has no lifecycle.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  seedance-archiver status cgt-2026…-hj94q                 what it waits for, and since when
  seedance-archiver status cgt-2026…-hj94q --account eu
  seedance-archiver status cgt-2026…-hj94q --output json | jq -r .result.outcome")]
pub(super) struct Args {
    #[command(flatten)]
    task: Task,
}

pub(super) async fn run(Args { task: args }: Args, stop: &Stop) -> anyhow::Result<ExitCode> {
    telemetry::init("error");
    args.check()?;
    let client = stop.unless_asked(session::connect()).await?;
    let lifecycle = Lifecycle::of(&client, &args.account, &args.task_id);
    let state = stop
        .unless_asked(async { Ok(lifecycle.status().await?) })
        .await?;
    let Some(state) = state else {
        bail!(
            "the task {} has no lifecycle: there is no workflow {} in the namespace `{}`, or no longer. \
             Start one with `seedance-archiver archive`, or ask Seedance with `seedance-archiver query`",
            args.task_id,
            names::lifecycle_workflow_id(&args.account, &args.task_id),
            client.namespace(),
        );
    };
    match args.output {
        Output::Json => println!("{}", serde_json::to_string_pretty(&state)?),
        Output::Text => print(&state),
    }
    Ok(ExitCode::SUCCESS)
}

fn print(state: &LifecycleStatus) {
    let snapshot = &state.snapshot;
    let mut pairs = vec![
        ("lifecycle", snapshot.workflow_id.clone()),
        (
            "run",
            format!("{}, {} events", snapshot.run_id, snapshot.history_events),
        ),
        ("started", since(snapshot.started_at)),
        ("ended", since(snapshot.ended_at)),
        ("workflow", snapshot.execution.to_string()),
    ];
    pairs.extend(snapshot.pending.iter().flat_map(pending));
    if let Some(why) = &state.progress_error {
        let told = format!("{why}: what follows is what the server knows");
        pairs.push(("no answer", told));
    }
    pairs.extend(ending(state));
    pairs.extend(query::pairs(&task(state)));
    print_pairs(&pairs);
}

/// What is known of the task: by the workflow, or by its search attributes.
fn task(state: &LifecycleStatus) -> VideoTask {
    let result = state.result.as_ref().and_then(|result| result.task.clone());
    let progress = state.progress.as_ref();
    let known = result.or_else(|| progress.and_then(|progress| progress.task.clone()));
    known.unwrap_or_else(|| {
        let attributes = &state.snapshot.search_attributes;
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

fn pending(pending: &PendingActivity) -> Vec<(&'static str, String)> {
    let attempt = format!("`{}`, attempt {}", pending.activity, pending.attempt);
    let waits = match pending.is_running {
        true => format!("{attempt}, running on {}", pending.worker),
        false => attempt,
    };
    let bytes = match (pending.bytes_done, pending.bytes_total) {
        (0, 0) => String::new(),
        (done, 0) => HumanBytes(done).to_string(),
        (done, total) => format!("{} of {}", HumanBytes(done), HumanBytes(total)),
    };
    vec![
        ("waits for", waits),
        ("next attempt", since(pending.next_attempt_at)),
        ("last message", pending.last_message.clone()),
        ("transferred", bytes),
    ]
}

fn ending(state: &LifecycleStatus) -> Vec<(&'static str, String)> {
    let Some(result) = &state.result else {
        return vec![("fault", state.result_error.clone().unwrap_or_default())];
    };
    let receipt = result.manifest.as_ref();
    vec![
        ("outcome", result.outcome.clone()),
        ("reason", result.reason.clone()),
        ("message", result.message.clone()),
        (
            "receipt",
            receipt
                .map(|it| it.manifest_url.clone())
                .unwrap_or_default(),
        ),
        ("warnings", result.warnings.join("; ")),
    ]
}
