//! `seedance-archiver setup`.

use std::{process::ExitCode, time::Duration};

use super::{findings::Findings, output::Output, session, shutdown::Shutdown};
use crate::{
    checkup::{Found, archives, server},
    config::{self, Reading},
    telemetry,
};

/// Make what workers need in Temporal, and try the archive
///
/// Makes the namespace where it is missing, registers the search attributes, and writes, reads and
/// deletes a probe in the archive as each account uses it. What is there already is left alone, so it
/// can be run as often as you like. What a server does not let anybody do by its API, as Temporal Cloud
/// does not, is told with the command that does it. Exits 1 where something could not be done.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  seedance-archiver setup                             before the first worker starts
  seedance-archiver setup --namespace-retention 30d   a new namespace keeps what has ended for so long
  TEMPORAL_NAMESPACE=videos seedance-archiver setup")]
pub(super) struct Args {
    /// How long a namespace that is made keeps workflows that have ended.
    #[arg(long, value_name = "TIME", default_value = "7d", value_parser = config::duration)]
    namespace_retention: Duration,
    /// How the result is printed.
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

pub(super) async fn run(args: Args, shutdown: &Shutdown) -> anyhow::Result<ExitCode> {
    telemetry::init("off");
    shutdown
        .run_until_requested(async {
            let mut findings = Findings::new(args.output, word);
            set_up(&mut findings, args.namespace_retention).await;
            findings.end()
        })
        .await
}

async fn set_up(findings: &mut Findings, retention: Duration) {
    let (client, finding) = server::connect().await;
    findings.add([finding]);
    if let Some(client) = &client {
        let namespace = server::make_namespace(client, retention).await;
        let is_there = namespace.state != Found::Failed;
        findings.add([namespace]);
        if is_there {
            findings.add([server::make_attributes(client).await]);
        }
    }
    let reading = Reading::of(session::variable, None);
    findings.add(archives::check(&reading).await);
}

fn word(state: Found) -> &'static str {
    match state {
        Found::Ok => "ready",
        Found::Done => "done",
        Found::Warning => "look",
        Found::Failed => "could not",
    }
}
