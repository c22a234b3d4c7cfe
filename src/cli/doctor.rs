//! `seedance-archiver doctor`.

use std::process::ExitCode;

use temporalio_client::Client;

use super::{findings::Findings, output::Output, session, shutdown::Shutdown};
use crate::{
    checkup::{
        CheckState, account_names, api, archives, configuration, encryption, ingress, namespace,
        network, nexus, server, video, webhooks,
    },
    config::{Accounts, LoadedConfig},
    telemetry,
    temporal::connection,
};

/// Check everything that a worker needs, and suggest fixes
///
/// Checks the configuration, the files with secrets, the encryption of connections, the proxy and the API of
/// each account, the first byte of its newest video, the receiver of its events, Temporal with its namespace, search
/// attributes, task queues, Nexus endpoint and the accounts of other deployments, the archive, the destinations of
/// each account, and the ingress. A failed check does not end the others. Changes nothing, except for test objects
/// in the archive, which are deleted again. Exits with 1 if a check failed.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  seedance-archiver doctor                  a line for each check: ok, warning or failed
  seedance-archiver doctor --output json | jq '.findings[] | select(.state == \"failed\")'
  kubectl exec deploy/seedance-archiver-query -- seedance-archiver doctor")]
pub(super) struct Args {
    /// Set the format of the result.
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

pub(super) async fn run(args: Args, shutdown: &Shutdown) -> anyhow::Result<ExitCode> {
    telemetry::init("off");
    shutdown
        .run_until_requested(async {
            let mut findings = Findings::new(args.output);
            check(&mut findings).await?;
            findings.end()
        })
        .await
}

async fn check(findings: &mut Findings) -> anyhow::Result<()> {
    let config = LoadedConfig::load(session::variable, None);
    findings.add(configuration::check(&config));
    findings.add(configuration::check_files(&config));
    // An invalid connection is a finding of its own.
    let temporal = connection::settings(session::variable).unwrap_or_default();
    findings.add(encryption::check(&config, &temporal, session::variable));
    let seedance = session::seedance()?;
    findings.add(network::check(&config.accounts, session::variable).await);
    findings.add(api::check(&seedance, &config.accounts).await);
    findings.add(video::check(&seedance, &config.accounts).await);
    findings.add(webhooks::check(&config.accounts).await);
    let (client, result) = server::connect().await;
    findings.add([result]);
    if let Some(client) = &client {
        check_namespace(findings, client, &config.accounts, &config.task_queue).await;
    }
    findings.add(archives::check(&config).await);
    findings.add(ingress::check(&config, client.as_ref()).await);
    Ok(())
}

/// Checks the namespace and, if it exists, its search attributes, task queues, Nexus endpoint and other deployments.
async fn check_namespace(
    findings: &mut Findings,
    client: &Client,
    accounts: &Accounts,
    task_queue: &str,
) {
    let result = namespace::check(client).await;
    let exists = result.state != CheckState::Failed;
    findings.add([result]);
    if exists {
        findings.add([namespace::check_attributes(client).await]);
        findings.add(server::queues(client, task_queue).await);
        findings.add(nexus::check(client, task_queue).await);
        findings.add(account_names::check(client, accounts, task_queue).await);
    }
}
