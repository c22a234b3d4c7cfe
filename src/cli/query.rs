//! `seedance-archiver query`.

use std::process::ExitCode;

use anyhow::Context;
use seedance_archiver_proto::{
    status,
    v1::{VideoContent, VideoTask},
};

use super::{
    Output, session,
    signals::Stop,
    task::Task,
    words::{deadline, moment, print_pairs, since},
};
use crate::{activities::task_queries::TaskQueries, config, telemetry};

/// Ask the Seedance API about a task, once
///
/// Needs no Temporal and no archive: one request with the account's key. URLs are printed sealed, so
/// that the output can go anywhere.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  seedance-archiver query cgt-2026…-hj94q                 what the service says of it now
  seedance-archiver query cgt-2026…-hj94q --account eu    by another account's key
  seedance-archiver query cgt-2026…-hj94q --output json | jq -r .status")]
pub(super) struct Args {
    #[command(flatten)]
    task: Task,
}

pub(super) async fn run(Args { task: args }: Args, stop: &Stop) -> anyhow::Result<ExitCode> {
    telemetry::init("error");
    args.check()?;
    let accounts = config::accounts(session::variable)?;
    let account = accounts.get(&args.account)?;
    let queries = TaskQueries::new(session::seedance()?, false);
    let asking = async {
        let asked = queries.query(&account, &args.task_id).await;
        asked.with_context(|| {
            format!(
                "cannot tell of {} by the account `{}` at {}",
                args.task_id,
                account.name(),
                account.endpoint.base_url
            )
        })
    };
    let task = stop.unless_asked(asking).await?;
    match args.output {
        Output::Json => println!("{}", serde_json::to_string_pretty(&task)?),
        Output::Text => print_pairs(&pairs(&task)),
    }
    Ok(ExitCode::SUCCESS)
}

/// What a person wants to know of a record, by name. What is empty is not known.
pub(super) fn pairs(task: &VideoTask) -> Vec<(&'static str, String)> {
    let number = |number: Option<i64>| number.map(|it| it.to_string()).unwrap_or_default();
    let with = |number: Option<i64>, unit: &str| match number {
        Some(number) => format!("{number} {unit}"),
        None => String::new(),
    };
    vec![
        ("task", task.id.clone()),
        ("status", task.status.clone()),
        ("since", since(task.updated_at)),
        ("created", moment(task.created_at)),
        (deadline_of(task), deadline(task.archive_deadline)),
        ("error", error(task)),
        ("made", made(task)),
        ("model", task.model.clone()),
        ("resolution", task.resolution.clone()),
        ("ratio", task.ratio.clone()),
        ("duration", with(task.duration, "s")),
        ("frames", number(task.frames)),
        ("frame rate", with(task.framespersecond, "/s")),
        (
            "audio",
            task.generate_audio
                .map(|it| it.to_string())
                .unwrap_or_default(),
        ),
        ("seed", number(task.seed)),
        ("tier", task.service_tier.clone()),
        ("usage", usage(task)),
    ]
}

/// Until when a task that has ended otherwise can be asked about is of no use.
fn deadline_of(task: &VideoTask) -> &'static str {
    match status::is_terminal(&task.status) && task.status != status::SUCCEEDED {
        true => "record until",
        false => "deadline",
    }
}

fn error(task: &VideoTask) -> String {
    let Some(error) = &task.error else {
        return String::new();
    };
    let parts = [error.code.as_str(), &error.message];
    let parts = parts.into_iter().filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join(": ")
}

fn made(task: &VideoTask) -> String {
    let content: VideoContent = task.content.clone().unwrap_or_default();
    let made = [
        ("video", content.video_url),
        ("last frame", content.last_frame_url),
        ("file", content.file_url),
    ];
    let made = made.into_iter().filter(|(_, url)| !url.is_empty());
    made.map(|(name, _)| name).collect::<Vec<_>>().join(", ")
}

fn usage(task: &VideoTask) -> String {
    let Some(usage) = &task.usage else {
        return String::new();
    };
    let mut words = vec![format!("{} tokens", usage.total_tokens)];
    words.extend(
        usage
            .tool_usage
            .iter()
            .map(|(tool, calls)| format!("{tool} {calls}")),
    );
    words.join(", ")
}
