//! `seedance-archiver query`.

use std::process::ExitCode;

use anyhow::Context;
use seedance_archiver_policy::drafts;
use seedance_archiver_proto::{
    status,
    time::unix_seconds,
    v1::{VideoContent, VideoTask},
};

use super::{
    output::{Output, print_json},
    session,
    shutdown::Shutdown,
    table::print_facts,
    task_args::{self, TaskArgs},
    text::{deadline, time, time_with_age},
};
use crate::{
    activities::task_queries::TaskQueries, config, telemetry,
    temporal::search_attributes::Registered,
};

/// Query the Seedance API for a task, once
///
/// Sends one request with the account's API key; uses neither Temporal nor the archive. URLs in the
/// output are sealed, so the output holds no secrets.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  seedance-archiver query cgt-2026…-hj94q                 show the current record
  seedance-archiver query cgt-2026…-hj94q --account eu    with the API key of another account
  seedance-archiver query cgt-2026…-hj94q --output json | jq -r .status")]
pub(super) struct Args {
    #[command(flatten)]
    task: TaskArgs,
}

pub(super) async fn run(
    Args { task: args }: Args,
    shutdown: &Shutdown,
) -> anyhow::Result<ExitCode> {
    telemetry::init("error");
    task_args::check_id(&args.task_id)?;
    let accounts = config::accounts(session::variable)?;
    let account = accounts.get(&args.account)?;
    let queries = TaskQueries::new(session::seedance()?, Registered::default());
    let query = async {
        let task = queries.query(&account, &args.task_id).await;
        task.with_context(|| {
            format!(
                "cannot query task `{}` with account `{}` at {}",
                args.task_id,
                account.name(),
                account.endpoint.base_url
            )
        })
    };
    let task = shutdown.run_until_requested(query).await?;
    match args.output {
        Output::Json => print_json(&task)?,
        Output::Text => print_facts(&facts(&task)),
    }
    Ok(ExitCode::SUCCESS)
}

/// Returns the properties of a task with their names. Unknown ones are empty.
pub(super) fn facts(task: &VideoTask) -> Vec<(&'static str, String)> {
    let number = |number: Option<i64>| number.map(|it| it.to_string()).unwrap_or_default();
    let with_unit = |number: Option<i64>, unit: &str| match number {
        Some(number) => format!("{number} {unit}"),
        None => String::new(),
    };
    let audio = task.generate_audio.map(|it| it.to_string());
    vec![
        ("task", task.id.clone()),
        ("status", task.status.clone()),
        ("updated", time_with_age(task.updated_at)),
        ("created", time(task.created_at)),
        (deadline_name(task), deadline(task.archive_deadline)),
        ("error", error(task)),
        ("files", files(task)),
        ("model", task.model.clone()),
        ("resolution", task.resolution.clone()),
        ("ratio", task.ratio.clone()),
        ("duration", with_unit(task.duration, "s")),
        ("frames", number(task.frames)),
        ("frame rate", with_unit(task.framespersecond, "fps")),
        ("audio", audio.unwrap_or_default()),
        ("seed", number(task.seed)),
        ("service tier", task.service_tier.clone()),
        ("priority", number(task.priority)),
        (
            "draft",
            task.draft.map(|it| it.to_string()).unwrap_or_default(),
        ),
        ("final until", final_until(task)),
        ("from draft", task.draft_task_id.clone()),
        ("tools", tools(task)),
        ("safety id", task.safety_identifier.clone()),
        ("times out", times_out(task)),
        ("usage", usage(task)),
    ]
}

/// A task that ended without a video has no archive deadline; its record can be queried until then.
fn deadline_name(task: &VideoTask) -> &'static str {
    match status::is_terminal(&task.status) && task.status != status::SUCCEEDED {
        true => "record expires",
        false => "deadline",
    }
}

/// Returns until when a final video can be made from a draft.
fn final_until(task: &VideoTask) -> String {
    drafts::deadline(task).map_or_else(String::new, |at| deadline(unix_seconds(at)))
}

fn error(task: &VideoTask) -> String {
    let Some(error) = &task.error else {
        return String::new();
    };
    let parts = [error.code.as_str(), &error.message];
    let parts = parts.into_iter().filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join(": ")
}

fn tools(task: &VideoTask) -> String {
    let tools: Vec<_> = task.tools.iter().map(|tool| tool.r#type.as_str()).collect();
    tools.join(", ")
}

/// Returns when an unfinished task becomes `expired`.
fn times_out(task: &VideoTask) -> String {
    match task.execution_expires_after {
        Some(after) if !status::is_terminal(&task.status) && task.created_at > 0 => {
            deadline(task.created_at.saturating_add(after))
        }
        _ => String::new(),
    }
}

/// Returns which files the task has URLs of.
fn files(task: &VideoTask) -> String {
    let content: VideoContent = task.content.clone().unwrap_or_default();
    let files = [
        ("video", content.video_url),
        ("last frame", content.last_frame_url),
        ("file", content.file_url),
    ];
    let files = files.into_iter().filter(|(_, url)| !url.is_empty());
    files.map(|(name, _)| name).collect::<Vec<_>>().join(", ")
}

fn usage(task: &VideoTask) -> String {
    let Some(usage) = &task.usage else {
        return String::new();
    };
    let tokens = format!("{} tokens", usage.total_tokens);
    let tools = usage.tool_usage.iter();
    let tools = tools.map(|(tool, calls)| format!("{tool} {calls}"));
    std::iter::once(tokens)
        .chain(tools)
        .collect::<Vec<_>>()
        .join(", ")
}
