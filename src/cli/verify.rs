//! `seedance-archiver verify`.

mod args;
mod findings;
mod hint;
mod position;
mod progress;
mod report;

use std::process::ExitCode;

use anyhow::ensure;
use futures::StreamExt;
use object_store::path::Path;
use seedance_archiver_clock::Clock;

use super::{
    output::{Output, print_json},
    session,
    shutdown::Shutdown,
};
use crate::{
    archive::{
        Archive,
        audit::{Finding, FindingKind, Verification},
    },
    config, telemetry,
};
use progress::Progress;
use report::Report;

pub(super) use args::Args;

pub(super) async fn run(args: Args, shutdown: &Shutdown) -> anyhow::Result<ExitCode> {
    telemetry::init("error");
    let url = config::archive_url(session::variable)?;
    let archive = Archive::open(&url)?;
    check_position(&archive, args.after.as_ref())?;
    let progress = Progress::start(args.output);
    let mut report = Report::new(args.after.clone());
    let ended = shutdown.run_until_requested(async {
        tokio::select! {
            () = verify(&archive, &args, &progress, &mut report) => Ok(()),
            never = progress.show_regularly() => match never {},
        }
    });
    let ended = ended.await;
    let mut findings = progress.end();
    findings.sort();
    match args.output {
        Output::Json => print_json(&report.document(&url, &findings))?,
        Output::Text => report.print(&findings),
    }
    if !report.is_complete() {
        errln!("{}", hint::hint(&args, report.verified_up_to()));
    }
    match ended {
        // The findings decide the exit code.
        Err(interrupted) if !findings.is_empty() => errln!("{interrupted}"),
        ended => ended?,
    }
    Ok(ExitCode::from(u8::from(!findings.is_empty())))
}

/// Checks that keys of the archive can come after a position.
fn check_position(archive: &Archive, after: Option<&Path>) -> anyhow::Result<()> {
    if let Some(after) = after {
        ensure!(
            after.prefix_matches(&archive.root),
            "`--after {after}` is not a key of this archive: its keys start with `{}/`",
            archive.root
        );
    }
    Ok(())
}

/// Verifies the archive. What cannot be read or listed is a finding, so that it does not hide the others.
async fn verify(archive: &Archive, args: &Args, progress: &Progress, report: &mut Report) {
    let verification = Verification {
        since: args
            .since
            .and_then(|age| Clock::default().now().checked_sub(age)),
        after: args.after.clone(),
        deep: args.deep,
        observer: progress,
        ..Verification::default()
    };
    let mut receipts = std::pin::pin!(verification.run(archive));
    let mut is_listed = true;
    while let Some(receipt) = receipts.next().await {
        match receipt {
            Ok(receipt) => report.add(receipt),
            Err(error) => {
                is_listed = false;
                report.stop_position();
                progress.add_finding(Finding {
                    receipt: archive.url().to_string(),
                    object: "(list)".to_owned(),
                    kind: FindingKind::IncompleteList,
                    problem: format!("is incomplete: {error}"),
                });
            }
        }
    }
    report.end(is_listed);
}
