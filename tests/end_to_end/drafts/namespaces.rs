//! Namespaces that lack the search attributes of drafts, or all of them.

use std::{process::Output, sync::Arc};

use anyhow::{Context, ensure};
use seedance_archiver::temporal::search_attributes::{self, Registered};
use seedance_archiver_simulator::Script;
use temporalio_client::{NamespacedClient, grpc::OperatorService, tonic::IntoRequest};
use temporalio_common::protos::temporal::api::{
    enums::v1::{EventType, IndexedValueType},
    operatorservice::v1::AddSearchAttributesRequest,
};

use super::{list, tasks, wait_until_counted};
use crate::harness::{Fixture, Server, command, lifecycle::command_events, register};

/// Number of search attributes that every task has.
const OF_TASKS: usize = 6;

/// A store has three columns of the type `Datetime`, and the program that shares the namespace uses those that are left.
async fn a_draft_is_archived_in_a_namespace_without_room_for_its_attributes(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let server = server.with_new_namespace().await?;
    let client = &server.client;
    let of_tasks = &search_attributes::ALL[..OF_TASKS];
    search_attributes::register(client, of_tasks).await?;
    add_datetimes(&server, &["OfAnotherProgram1", "OfAnotherProgram2"]).await?;
    let expected = Registered {
        of_tasks: true,
        ..Registered::default()
    };
    let registered = search_attributes::ensure_registered(client).await;
    ensure!(registered == expected, "{registered:?}");

    let fixture = Fixture::new(&server).await?;
    let draft = tasks::draft(&fixture, "").await?;
    let result = fixture.run_lifecycle(&server, &draft).await?;
    result.manifest.context("not archived")?;
    let query = format!("SeedanceTaskId = '{draft}' AND SeedanceOutcome = 'archived'");
    wait_until_counted(&server, &query, 1).await?;
    let table = list(&server, &[]).await?;
    ensure!(table.contains(&draft), "{table}");
    ensure!(!table.contains("final until"), "{table}");

    let output = run(&server, &fixture, &["list", "--drafts"]).await?;
    let stderr = String::from_utf8(output.stderr)?;
    ensure!(output.status.code() == Some(1), "{stderr}");
    for part in ["SeedanceDraft", "`seedance-archiver setup`"] {
        ensure!(stderr.contains(part), "no {part:?} in {stderr}");
    }
    // Workers need no attributes of drafts, so `setup` only warns.
    let output = run(&server, &fixture, &["setup"]).await?;
    let stdout = String::from_utf8(output.stdout)?;
    ensure!(output.status.success(), "{stdout}");
    ensure!(
        stdout.contains("cannot create SeedanceDraft"),
        "no warning: {stdout}"
    );
    Ok(())
}
register!(a_draft_is_archived_in_a_namespace_without_room_for_its_attributes);

/// Lifecycles must not write what is not registered: the server would fail their workflow tasks.
async fn a_video_is_archived_in_a_namespace_without_room_for_any_attribute(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let server = server.with_new_namespace().await?;
    let of_others = [
        "OfAnotherProgram1",
        "OfAnotherProgram2",
        "OfAnotherProgram3",
    ];
    add_datetimes(&server, &of_others).await?;
    let registered = search_attributes::ensure_registered(&server.client).await;
    ensure!(registered == Registered::default(), "{registered:?}");

    let fixture = Fixture::new(&server).await?;
    let id = fixture.simulator.create(Script::default());
    let result = fixture.run_lifecycle(&server, &id).await?;
    result.manifest.context("not archived")?;
    let events = command_events(&server, &id).await?;
    let upsert = EventType::UpsertWorkflowSearchAttributes;
    ensure!(!events.contains(&upsert), "{events:?}");
    Ok(())
}
register!(a_video_is_archived_in_a_namespace_without_room_for_any_attribute);

/// Registers search attributes of another program.
async fn add_datetimes(server: &Server, names: &[&str]) -> anyhow::Result<()> {
    let datetime = i32::from(IndexedValueType::Datetime);
    let names = names.iter().map(|name| ((*name).to_owned(), datetime));
    let request = AddSearchAttributesRequest {
        namespace: server.client.namespace(),
        search_attributes: names.collect(),
    };
    let mut service = server.client.clone();
    service
        .add_search_attributes(request.into_request())
        .await?;
    Ok(())
}

async fn run(server: &Server, fixture: &Fixture, arguments: &[&str]) -> anyhow::Result<Output> {
    let output = command()
        .args(arguments)
        .envs(server.environment())
        .env("SEEDANCE_BASE_URL", fixture.simulator.base_url())
        .env("SEEDANCE_API_KEY", fixture.simulator.api_key())
        .env("SEEDANCE_ARCHIVE_URL", fixture.config.archive_url.as_str())
        .output();
    Ok(output.await?)
}
