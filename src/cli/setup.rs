//! `seedance-archiver setup`.

use std::{process::ExitCode, time::Duration};

use super::{findings::Findings, output::Output, session, shutdown::Shutdown};
use crate::{
    checkup::{CheckState, archives, namespace, nexus, server},
    config::{self, LoadedConfig},
    telemetry,
};

/// Create what workers need in Temporal, and check the archive
///
/// Creates the namespace if it is missing, registers the search attributes, creates the Nexus endpoint by which
/// workflows of any namespace call, and writes, reads and deletes test objects in the archive with the options
/// of each account. Leaves what exists unchanged, so it can be run repeatedly. If the server does not allow a
/// change through its API, as on Temporal Cloud, prints the command that makes it. Exits with 1 if anything
/// failed; a missing endpoint is a warning, because workflows can also call an activity.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  seedance-archiver setup                             before the first worker starts
  seedance-archiver setup --namespace-retention 30d   keep closed workflows in a new namespace for 30 days
  seedance-archiver setup --nexus-endpoint videos     the name by which workflows call
  TEMPORAL_NAMESPACE=videos seedance-archiver setup")]
pub(super) struct Args {
    /// Set how long a new namespace keeps closed workflows.
    #[arg(long, value_name = "TIME", default_value = "7d", value_parser = config::duration)]
    namespace_retention: Duration,
    /// Set the name of the Nexus endpoint [default: seedance-archiver, unless an endpoint has the same target]
    #[arg(long, value_name = "NAME")]
    nexus_endpoint: Option<String>,
    /// Set the format of the result.
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

pub(super) async fn run(args: Args, shutdown: &Shutdown) -> anyhow::Result<ExitCode> {
    telemetry::init("off");
    shutdown
        .run_until_requested(async {
            let mut findings = Findings::new(args.output);
            set_up(&args, &mut findings).await;
            findings.end()
        })
        .await
}

async fn set_up(args: &Args, findings: &mut Findings) {
    let config = LoadedConfig::load(session::variable, None);
    let (client, result) = server::connect().await;
    findings.add([result]);
    if let Some(client) = &client {
        let result = namespace::create(client, args.namespace_retention).await;
        let exists = result.state != CheckState::Failed;
        findings.add([result]);
        if exists {
            findings.add([namespace::create_attributes(client).await]);
            let endpoint = args.nexus_endpoint.as_deref();
            findings.add([nexus::create(client, &config.task_queue, endpoint).await]);
        }
    }
    findings.add(archives::check(&config).await);
}
