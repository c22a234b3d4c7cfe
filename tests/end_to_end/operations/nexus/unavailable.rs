//! Servers that have no Nexus, or reject its polls. The rest of the worker is not affected.

use std::sync::Arc;

use anyhow::{Context, ensure};
use seedance_archiver_simulator::Script;
use serde_json::Value;
use temporalio_client::NamespacedClient;

use crate::{
    harness::{
        Fixture, Server, command,
        grpc_proxy::{GrpcProxy, Rules, Treatment},
        register,
    },
    operations::process::WorkerProcess,
};

async fn a_worker_without_nexus_archives(server: Arc<Server>) -> anyhow::Result<()> {
    let rules = &[("GetSystemInfo", Treatment::HideNexus)];
    let event =
        "the Temporal server has no Nexus: workflows call the activity `AwaitVideoTask` instead";
    let log = check_that_it_archives(&server, rules, event).await?;
    ensure!(!log.contains("\"polling for Nexus requests\""), "{log}");
    Ok(())
}
register!(a_worker_without_nexus_archives);

async fn a_worker_whose_nexus_polls_are_rejected_archives(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let rules = &[("PollNexusTaskQueue", Treatment::Deny)];
    let event = "stopped polling for Nexus requests; will start again. The other task queues are not affected";
    let log = check_that_it_archives(&server, rules, event).await?;
    ensure!(log.contains("Request unauthorized."), "{log}");
    Ok(())
}
register!(a_worker_whose_nexus_polls_are_rejected_archives, takes_long);

/// Runs a worker behind a proxy until it has logged an event, checks that it is ready and archives a video, and stops it.
/// Returns its log, which has the event once.
async fn check_that_it_archives(
    server: &Server,
    rules: Rules,
    event: &str,
) -> anyhow::Result<String> {
    let fixture = Fixture::new(server).await?;
    let proxy = GrpcProxy::start(&server.address, rules).await?;
    let proxied = server.at(proxy.address.clone())?;
    let mut worker = WorkerProcess::start(&fixture, &proxied, &[])?;
    worker.wait_for_log(event).await?;
    ensure!(proxy.treated() > 0, "the proxy was not called");
    worker.wait_for_readiness("polling").await?;
    let id = fixture.simulator.create(Script::default());
    let lifecycle = fixture.start_lifecycle(server, &id).await?;
    let result = lifecycle.result().await?;
    ensure!(result.outcome == "archived", "{result:?}");
    fixture.assert_archived(&id, &result.manifest.context("no receipt")?)?;
    let status = worker.stop().await?;
    let log = worker.log().join("\n");
    ensure!(status.code() == Some(0), "{status}: {log}");
    ensure!(log.matches(event).count() == 1, "{log}");
    Ok(log)
}

async fn setup_says_that_there_is_no_nexus(server: Arc<Server>) -> anyhow::Result<()> {
    let rules = &[("GetSystemInfo", Treatment::HideNexus)];
    let endpoint = setup_behind(&server, rules).await?;
    ensure!(endpoint["state"] == "ok", "{endpoint}");
    let found = endpoint["found"].as_str().unwrap_or_default();
    ensure!(found.contains("the server has no Nexus"), "{endpoint}");
    Ok(())
}
register!(setup_says_that_there_is_no_nexus);

async fn setup_prints_the_commands_for_an_endpoint_that_it_may_not_create(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let rules = &[
        ("ListNexusEndpoints", Treatment::Deny),
        ("CreateNexusEndpoint", Treatment::Deny),
    ];
    let endpoint = setup_behind(&server, rules).await?;
    ensure!(endpoint["state"] == "warning", "{endpoint}");
    let found = endpoint["found"].as_str().unwrap_or_default();
    ensure!(
        found == "permission denied: cannot create `seedance-archiver`: Request unauthorized.",
        "{endpoint}"
    );
    let fix = endpoint["fix"].as_str().unwrap_or_default();
    let target = format!("--target-namespace {} ", server.client.namespace());
    for part in [
        "temporal operator nexus endpoint create --name seedance-archiver ",
        "tcld nexus endpoint create --name seedance-archiver ",
        &target,
    ] {
        ensure!(fix.contains(part), "{endpoint}");
    }
    Ok(())
}
register!(setup_prints_the_commands_for_an_endpoint_that_it_may_not_create);

/// Runs `setup` behind a proxy, and returns its finding about the endpoint.
async fn setup_behind(server: &Server, rules: Rules) -> anyhow::Result<Value> {
    let fixture = Fixture::new(server).await?;
    let proxy = GrpcProxy::start(&server.address, rules).await?;
    let proxied = server.at(proxy.address.clone())?;
    let output = command()
        .args(["setup", "--output", "json"])
        .envs(proxied.environment())
        .env("SEEDANCE_API_KEY", fixture.simulator.api_key())
        .env("SEEDANCE_ARCHIVE_URL", fixture.config.archive_url.as_str())
        .output()
        .await?;
    ensure!(output.status.success(), "{output:?}");
    let report: Value = serde_json::from_slice(&output.stdout)?;
    let findings = report["findings"].as_array().context("no findings")?;
    let endpoint = findings.iter().find(|it| it["name"] == "Nexus endpoint");
    endpoint.cloned().with_context(|| format!("{report:#}"))
}
