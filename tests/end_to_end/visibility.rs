//! What lifecycles are found by in the Temporal UI.

use std::sync::Arc;

use anyhow::{Context, ensure};
use seedance_archiver::temporal::search_attributes;
use seedance_archiver_simulator::{Ending, Script};
use temporalio_client::{Client, NamespacedClient, WorkflowCountOptions};

use crate::{
    Suite,
    world::{Server, World, until_async},
};

pub(crate) fn tests(suite: Suite) -> Suite {
    suite
        .test(
            "visibility::lifecycles_are_found_by_what_is_known",
            found_by_what_is_known,
        )
        .test(
            "visibility::a_dev_server_gets_what_it_lacks",
            registers_what_is_missing,
        )
}

async fn found_by_what_is_known(server: Arc<Server>) -> anyhow::Result<()> {
    let world = World::new(&server).await?;
    let [archived, failed] = [Ending::Succeeded, Ending::Failed].map(|ending| {
        world.simulator.create(Script {
            ending,
            ..Script::default()
        })
    });
    world.run(&server, &archived).await?;
    world.run(&server, &failed).await?;
    let model = "SeedanceModel = 'seedance-1-5-pro-251215' AND SeedanceAccount = 'default'";
    let in_time = "SeedanceArchiveDeadline > '2026-01-01T00:00:00Z'";
    for (id, status, outcome) in [
        (&archived, "succeeded", "archived"),
        (&failed, "failed", "unsuccessful"),
    ] {
        let query = format!(
            "SeedanceTaskId = '{id}' AND SeedanceStatus = '{status}' AND SeedanceOutcome = \
             '{outcome}' AND {model} AND {in_time}"
        );
        is_found(&server.client, &query).await?;
    }
    Ok(())
}

/// Visibility lags behind.
async fn is_found(client: &Client, query: &str) -> anyhow::Result<()> {
    until_async(query, || async {
        let options = WorkflowCountOptions::default();
        Ok(client.count_workflows(query, options).await?.count() == 1)
    })
    .await
}

async fn registers_what_is_missing(server: Arc<Server>) -> anyhow::Result<()> {
    let server = server.in_namespace().await?;
    let client = &server.client;
    let unknown = client
        .count_workflows("SeedanceStatus = 'queued'", WorkflowCountOptions::default())
        .await;
    ensure!(unknown.is_err(), "{} has it already", client.namespace());

    ensure!(
        search_attributes::ensure_registered(client).await,
        "it was not registered"
    );
    let world = World::new(&server).await?;
    let id = world.simulator.create(Script::default());
    world.run(&server, &id).await?.manifest.context("lost")?;
    is_found(&server.client, &format!("SeedanceTaskId = '{id}'")).await
}
