//! `seedance-archiver audit`.

mod args;
mod report;

use std::{process::ExitCode, time::Duration};

use anyhow::{Context, anyhow, bail};
use jiff::SignedDuration;
use seedance_archiver_policy::audits::Share;
use seedance_archiver_proto::names;
use serde::Serialize;
use temporalio_client::Client;

use super::{
    output::{Output, print_json},
    session,
    shutdown::Shutdown,
};
use crate::{
    config, telemetry,
    temporal::audits::{
        schedule::{self, Schedule},
        status,
    },
};
use report::Report;

pub(super) use args::Args;

/// The document of `--every --output json`, and of `--off`.
#[derive(Serialize)]
struct Scheduled {
    schedule_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    every_seconds: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    share: Option<String>,
    /// `created`, `updated`, `unchanged`, `deleted` or `missing`.
    done: &'static str,
}

pub(super) async fn run(args: Args, shutdown: &Shutdown) -> anyhow::Result<ExitCode> {
    telemetry::init("error");
    let client = shutdown.run_until_requested(session::connect()).await?;
    shutdown
        .run_until_requested(async {
            match args.every {
                Some(every) => create_schedule(&args, &client, every).await,
                None if args.off => delete_schedule(&args, &client).await,
                None => show(&args, &client).await,
            }
        })
        .await
}

async fn create_schedule(
    args: &Args,
    client: &Client,
    every: Duration,
) -> anyhow::Result<ExitCode> {
    let schedule_id = names::audit_schedule_id(&args.destination);
    let schedule = Schedule {
        destination: args.destination.clone(),
        interval: every,
        share: args.share,
        task_queue: config::task_queue(session::variable)?,
    };
    let ensured = schedule.ensure(client).await;
    let done = ensured
        .with_context(|| format!("cannot create or update the schedule `{schedule_id}`"))?
        .name();
    match args.output {
        Output::Json => print_json(&Scheduled {
            schedule_id,
            every_seconds: Some(every.as_secs()),
            share: Some(args.share.to_string()),
            done,
        })?,
        Output::Text => outln!(
            "schedule {schedule_id} {done}: {}",
            describe(every, args.share)
        ),
    }
    errln!(
        "To show the last audit: seedance-archiver audit{0}\n\
         To delete the schedule: seedance-archiver audit{0} --off",
        args.destination_option()
    );
    Ok(ExitCode::SUCCESS)
}

/// Returns in words what a schedule does.
fn describe(every: Duration, share: Share) -> String {
    let text = |time: Duration| SignedDuration::try_from(time).map(|time| format!("{time:#}"));
    let period = every.saturating_mul(share.audits());
    match (text(every), text(period)) {
        (Ok(every), Ok(period)) => {
            format!("verifies {share} of the archive every {every}, all of it within {period}")
        }
        _ => format!("verifies {share} of the archive"),
    }
}

async fn delete_schedule(args: &Args, client: &Client) -> anyhow::Result<ExitCode> {
    let schedule_id = names::audit_schedule_id(&args.destination);
    let deleted = schedule::delete(client, &args.destination).await;
    let deleted = deleted.with_context(|| format!("cannot delete the schedule `{schedule_id}`"))?;
    let done = if deleted { "deleted" } else { "missing" };
    match args.output {
        Output::Json => print_json(&Scheduled {
            schedule_id,
            every_seconds: None,
            share: None,
            done,
        })?,
        Output::Text if deleted => {
            outln!("schedule {schedule_id} deleted; an audit that is running ends by itself");
        }
        Output::Text => outln!("there is no schedule {schedule_id}"),
    }
    Ok(ExitCode::SUCCESS)
}

async fn show(args: &Args, client: &Client) -> anyhow::Result<ExitCode> {
    let schedule_id = names::audit_schedule_id(&args.destination);
    let status = status::describe(client, &args.destination).await;
    let status =
        status.map_err(|error| anyhow!("cannot describe the schedule `{schedule_id}`: {error}"))?;
    let Some(status) = status else {
        bail!(
            "there is no schedule `{schedule_id}`; create it: seedance-archiver audit{} --every 1d",
            args.destination_option()
        );
    };
    let report = Report::new(schedule_id, status);
    match args.output {
        Output::Json => print_json(&report)?,
        Output::Text => report.print(),
    }
    Ok(ExitCode::from(u8::from(report.has_findings())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schedule_says_when_everything_is_verified() {
        let day = Duration::from_secs(24 * 60 * 60);
        assert_eq!(
            describe(day, "1/30".parse().unwrap()),
            "verifies 1/30 of the archive every 24h, all of it within 720h"
        );
    }
}
