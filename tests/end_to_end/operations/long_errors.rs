//! Errors whose text is longer than Temporal accepts, and that repeat secrets.

use std::sync::Arc;

use anyhow::{Context, ensure};
use seedance_archiver_simulator::Script;
use temporalio_client::WorkflowFetchHistoryOptions;

use super::process::WorkerProcess;
use crate::harness::{
    Fixture, Server,
    proxied_bucket::ProxiedBucket,
    register,
    s3_proxy::{Dialect, errors::SESSION_TOKEN},
};

async fn an_error_of_megabytes_is_retried_and_its_secrets_are_removed(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let proxied = ProxiedBucket::start("videos").await?;
    proxied.proxy.set("/videos", Dialect::FailsAtLength);

    let id = fixture.simulator.create(Script::default());
    let worker = WorkerProcess::start(&fixture, &server, &proxied.environment())?;
    let lifecycle = fixture.start_lifecycle(&server, &id).await?;
    let failure = worker
        .wait_for_log("activity attempt failed; will retry")
        .await?;
    let error = failure["error"].as_str().unwrap_or_default();
    ensure!(failure["failure_type"] == "StoreUnavailable", "{failure}");
    ensure!(
        error.contains("ExpiredToken") && error.contains("more characters"),
        "{error}"
    );

    proxied.proxy.set("/videos", Dialect::None);
    let result = lifecycle.result().await?;
    ensure!(result.outcome == "archived", "{result:?}");
    let history = server
        .lifecycle(&id)
        .fetch_history(WorkflowFetchHistoryOptions::default())
        .into_events()
        .await?;
    for text in [format!("{history:?}"), worker.log().join("\n")] {
        ensure!(!text.contains(SESSION_TOKEN), "{text}");
    }
    result.manifest.context("no receipt")?;
    Ok(())
}
register!(
    an_error_of_megabytes_is_retried_and_its_secrets_are_removed,
    needs = [minio]
);
