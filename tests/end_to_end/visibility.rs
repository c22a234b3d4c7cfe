//! Search attributes, by which the Temporal Web UI finds lifecycles.

use std::sync::Arc;

use anyhow::{Context, ensure};
use seedance_archiver::temporal::search_attributes;
use seedance_archiver_proto::names;
use seedance_archiver_simulator::{Ending, Script};
use temporalio_client::{
    Client, NamespacedClient, WorkflowCountOptions, grpc::WorkflowService, tonic::IntoRequest,
};
use temporalio_common::protos::temporal::api::workflowservice::v1::GetClusterInfoRequest;

use crate::harness::{Fixture, Server, register, until_async};

async fn lifecycles_are_found_by_their_search_attributes(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let [archived, failed] = [Ending::Succeeded, Ending::Failed].map(|ending| {
        fixture.simulator.create(Script {
            ending,
            ..Script::default()
        })
    });
    fixture.run_lifecycle(&server, &archived).await?;
    fixture.run_lifecycle(&server, &failed).await?;
    let model = "SeedanceModel = 'seedance-1-5-pro-251215' AND SeedanceAccount = 'default'";
    let deadline = "SeedanceArchiveDeadline > '2026-01-01T00:00:00Z'";
    for (id, status, outcome) in [
        (&archived, "succeeded", "archived"),
        (&failed, "failed", "unsuccessful"),
    ] {
        let query = format!(
            "SeedanceTaskId = '{id}' AND SeedanceStatus = '{status}' AND SeedanceOutcome = \
             '{outcome}' AND {model} AND {deadline}"
        );
        wait_until_found(&server.client, &query).await?;
    }
    Ok(())
}
register!(lifecycles_are_found_by_their_search_attributes);

/// Waits until a query finds exactly one lifecycle. Visibility is eventually consistent.
async fn wait_until_found(client: &Client, query: &str) -> anyhow::Result<()> {
    until_async(query, || async {
        let options = WorkflowCountOptions::default();
        Ok(client.count_workflows(query, options).await?.count() == 1)
    })
    .await
}

/// Operators administer other servers.
async fn missing_search_attributes_are_registered_only_on_a_dev_server(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let server = server.with_new_namespace().await?;
    let client = &server.client;
    let count = WorkflowCountOptions::default;
    let unknown = client
        .count_workflows("SeedanceStatus = 'queued'", count())
        .await;
    ensure!(
        unknown.is_err(),
        "{} already has the search attributes",
        client.namespace()
    );

    let request = GetClusterInfoRequest::default().into_request();
    let mut service = client.clone();
    let cluster = service.get_cluster_info(request).await?.into_inner();
    let is_dev_server = cluster.persistence_store == "sqlite";
    let registered = search_attributes::ensure_registered(client).await;
    ensure!(
        registered.of_tasks == is_dev_server && registered.of_drafts == is_dev_server,
        "persistence store: {}, registered: {registered:?}",
        cluster.persistence_store
    );

    let fixture = Fixture::new(&server).await?;
    let id = fixture.simulator.create(Script::default());
    fixture
        .run_lifecycle(&server, &id)
        .await?
        .manifest
        .context("not archived")?;
    let query = match is_dev_server {
        true => format!("SeedanceTaskId = '{id}'"),
        false => format!("WorkflowId = '{}'", names::lifecycle_workflow_id("", &id)),
    };
    wait_until_found(client, &query).await
}
register!(missing_search_attributes_are_registered_only_on_a_dev_server);
