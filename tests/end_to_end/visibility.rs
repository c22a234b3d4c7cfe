//! What lifecycles are found by in the Temporal UI.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, ensure};
use seedance_archiver::search_attributes;
use seedance_archiver_simulator::{Ending, Script};
use temporalio_client::{
    Client, ClientOptions, NamespacedClient, WorkflowCountOptions,
    tonic::{Code, IntoRequest},
};
use temporalio_common::protos::temporal::api::workflowservice::v1::RegisterNamespaceRequest;

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

/// A client of a namespace that has nothing yet.
pub(crate) async fn new_namespace(server: &Server) -> anyhow::Result<Client> {
    let name = server.unique("namespace");
    let request = RegisterNamespaceRequest {
        namespace: name.clone(),
        workflow_execution_retention_period: Duration::from_secs(24 * 3600).try_into().ok(),
        ..RegisterNamespaceRequest::default()
    };
    let connection = server.client.connection().clone();
    let mut service = connection.workflow_service();
    service.register_namespace(request.into_request()).await?;
    let client = Client::new(connection, ClientOptions::new(name).build())?;
    // The server needs a moment to know its namespace.
    until_async("the namespace can be used", || async {
        let options = WorkflowCountOptions::default();
        match client.count_workflows("", options).await {
            Ok(count) => Ok(count.count() == 0),
            Err(error) => {
                let is_new = format!("{error:?}").contains(&format!("{:?}", Code::NotFound));
                ensure!(is_new, "{error}");
                Ok(false)
            }
        }
    })
    .await?;
    Ok(client)
}

async fn registers_what_is_missing(server: Arc<Server>) -> anyhow::Result<()> {
    let client = new_namespace(&server).await?;
    let unknown = client
        .count_workflows("SeedanceStatus = 'queued'", WorkflowCountOptions::default())
        .await;
    ensure!(unknown.is_err(), "{} has it already", client.namespace());

    ensure!(
        search_attributes::are_registered(&client).await,
        "it was not registered"
    );
    let server = server.with_client(client)?;
    let world = World::new(&server).await?;
    let id = world.simulator.create(Script::default());
    world.run(&server, &id).await?.manifest.context("lost")?;
    is_found(&server.client, &format!("SeedanceTaskId = '{id}'")).await
}
