//! `seedance-archiver verify`.

use std::{
    process::ExitCode,
    time::{Duration, SystemTime},
};

use anyhow::Context;
use futures::TryStreamExt;
use serde::Serialize;

use super::{Output, session, signals::Stop};
use crate::{
    archive::{
        Archive,
        audit::{self, Finding},
    },
    config, telemetry,
};

/// Check that the archive still holds what its receipts say
///
/// Reads SEEDANCE_ARCHIVE_URL and the store's own environment. Exits with 1 where anything is missing,
/// truncated or changed.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  seedance-archiver verify               every receipt, by the sizes of its objects
  seedance-archiver verify --since 7d    the last week's
  seedance-archiver verify --deep        read all bytes, and compare SHA-256")]
pub(super) struct Args {
    /// Read all bytes and compare their SHA-256.
    #[arg(long)]
    deep: bool,
    /// Only receipts that are no older, e.g. `7d`.
    #[arg(long, value_name = "TIME", value_parser = config::duration)]
    since: Option<Duration>,
    /// How the result is printed.
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

/// The document of `--output json`.
#[derive(Debug, Default, Serialize)]
struct Report {
    archive_url: String,
    receipts: usize,
    objects: usize,
    findings: Vec<Finding>,
}

pub(super) async fn run(args: Args, stop: &Stop) -> anyhow::Result<ExitCode> {
    telemetry::init("error");
    let url = config::archive_url(session::variable)?;
    let archive = Archive::open(&url)?;
    let mut report = Report {
        archive_url: url.to_string(),
        ..Report::default()
    };
    let since = args
        .since
        .and_then(|age| SystemTime::now().checked_sub(age));
    stop.unless_asked(verify(&archive, since, args.deep, &mut report))
        .await?;
    match args.output {
        Output::Json => println!("{}", serde_json::to_string_pretty(&report)?),
        Output::Text => print(&report),
    }
    Ok(ExitCode::from(u8::from(!report.findings.is_empty())))
}

async fn verify(
    archive: &Archive,
    since: Option<SystemTime>,
    deep: bool,
    report: &mut Report,
) -> anyhow::Result<()> {
    let verified = audit::verify(archive, since, deep);
    tokio::pin!(verified);
    while let Some(verified) = verified
        .try_next()
        .await
        .context("the archive cannot be read")?
    {
        report.receipts += 1;
        report.objects += verified.objects;
        report.findings.extend(verified.findings);
    }
    Ok(())
}

fn print(report: &Report) {
    for finding in &report.findings {
        println!(
            "{}: {} {}",
            finding.receipt, finding.object, finding.problem
        );
    }
    let Report {
        receipts, objects, ..
    } = report;
    match report.findings.len() {
        0 => println!("{receipts} receipts with {objects} objects are as they were"),
        faults => println!("{faults} faults in {receipts} receipts with {objects} objects"),
    }
}
