//! `seedance-archiver doctor`.

use std::process::ExitCode;

use temporalio_client::Client;

use super::{findings::Findings, output::Output, session, shutdown::Shutdown};
use crate::{
    checkup::{Found, api, archives, configuration, ingress, server},
    config::Reading,
    telemetry,
};

/// Check everything that a worker needs, and say how to mend what is wrong
///
/// Looks at the configuration, the files with keys, the API of each account, Temporal with its
/// namespace, search attributes and task queues, the archive and the ingress: all of it, whatever
/// fails. Changes nothing but for a probe under `.staging/` in the archive, which is deleted. Exits 1
/// where anything failed.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  seedance-archiver doctor                  a line for each check: ok, warning or failed
  seedance-archiver doctor --output json | jq '.findings[] | select(.state == \"failed\")'
  kubectl exec deploy/seedance-archiver -- seedance-archiver doctor")]
pub(super) struct Args {
    /// How the result is printed.
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

pub(super) async fn run(args: Args, shutdown: &Shutdown) -> anyhow::Result<ExitCode> {
    telemetry::init("off");
    shutdown
        .run_until_requested(async {
            let mut findings = Findings::new(args.output, word);
            check(&mut findings).await?;
            findings.end()
        })
        .await
}

async fn check(findings: &mut Findings) -> anyhow::Result<()> {
    let reading = Reading::of(session::variable, None);
    findings.add(configuration::check(&reading));
    findings.add(configuration::check_files(&reading));
    let seedance = session::seedance()?;
    findings.add(api::check(&seedance, &reading.accounts).await);
    let (client, finding) = server::connect().await;
    findings.add([finding]);
    if let Some(client) = &client {
        check_server(findings, client, &reading.task_queue).await;
    }
    findings.add(archives::check(&reading).await);
    findings.add(ingress::check(&reading, client.as_ref()).await);
    Ok(())
}

/// In a namespace that is not there, there is nothing to look at.
async fn check_server(findings: &mut Findings, client: &Client, task_queue: &str) {
    let namespace = server::namespace(client).await;
    let is_there = namespace.state != Found::Failed;
    findings.add([namespace]);
    if is_there {
        findings.add([server::attributes(client).await]);
        findings.add(server::queues(client, task_queue).await);
    }
}

fn word(state: Found) -> &'static str {
    match state {
        Found::Ok | Found::Done => "ok",
        Found::Warning => "warning",
        Found::Failed => "failed",
    }
}
