//! `seedance-archiver verify`.

use std::{
    process::ExitCode,
    time::{Duration, SystemTime},
};

use futures::StreamExt;
use seedance_archiver_proto::visible;
use serde::Serialize;

use super::{
    output::{Output, print_json},
    session,
    shutdown::Shutdown,
    text::count,
};
use crate::{
    archive::{
        Archive,
        audit::{self, Finding},
    },
    config, telemetry,
};
use seedance_archiver_clock::Clock;

/// Check archived objects against their receipts
///
/// Exits with 1 if an object is missing, truncated, changed or unreadable. An object that cannot be read does not
/// end the command. Reads SEEDANCE_ARCHIVE_URL and the store's
/// environment variables.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  seedance-archiver verify               compare the sizes of all objects
  seedance-archiver verify --since 7d    only objects archived in the last week
  seedance-archiver verify --deep        read all objects and compare SHA-256 digests")]
pub(super) struct Args {
    /// Read all objects and compare their SHA-256 digests.
    #[arg(long)]
    deep: bool,
    /// Maximum age of receipts, e.g. `7d`.
    #[arg(long, value_name = "TIME", value_parser = config::duration)]
    since: Option<Duration>,
    /// Output format.
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
    /// Receipts without findings.
    #[serde(skip)]
    verified: usize,
}

pub(super) async fn run(args: Args, shutdown: &Shutdown) -> anyhow::Result<ExitCode> {
    telemetry::init("error");
    let url = config::archive_url(session::variable)?;
    let archive = Archive::open(&url)?;
    let mut report = Report {
        archive_url: url.to_string(),
        ..Report::default()
    };
    let since = args
        .since
        .and_then(|age| Clock::default().now().checked_sub(age));
    let verify = async {
        verify(&archive, since, args.deep, &mut report).await;
        Ok(())
    };
    shutdown.run_until_requested(verify).await?;
    match args.output {
        Output::Json => print_json(&report)?,
        Output::Text => print(&report),
    }
    Ok(ExitCode::from(u8::from(!report.findings.is_empty())))
}

/// Verifies the archive. What cannot be read or listed is a finding, so that it does not hide the others.
async fn verify(archive: &Archive, since: Option<SystemTime>, deep: bool, report: &mut Report) {
    let receipts = audit::verify(archive, since, deep);
    tokio::pin!(receipts);
    while let Some(receipt) = receipts.next().await {
        match receipt {
            Ok(receipt) => {
                report.receipts += 1;
                report.objects += receipt.objects;
                report.verified += usize::from(receipt.findings.is_empty());
                report.findings.extend(receipt.findings);
            }
            Err(error) => report.findings.push(Finding {
                receipt: report.archive_url.clone(),
                object: "(list)".to_owned(),
                problem: format!("is incomplete: {error}"),
            }),
        }
    }
}

fn print(report: &Report) {
    for Finding {
        receipt,
        object,
        problem,
    } in &report.findings
    {
        let line = format!("{receipt}: {object} {problem}");
        outln!("{}", visible::escape(&line));
    }
    let receipts = count(report.receipts, "receipt");
    let objects = count(report.objects, "object");
    let verified = report.verified;
    match report.receipts - verified {
        0 if report.findings.is_empty() => outln!("{receipts} with {objects}: {verified} verified"),
        failed => outln!(
            "{receipts} with {objects}: {verified} verified, {failed} failed ({})",
            count(report.findings.len(), "finding")
        ),
    }
}
