//! Drafts, and the final videos that are made from them.

mod namespaces;
pub(crate) mod tasks;

use std::sync::Arc;

use anyhow::{Context, ensure};
use seedance_archiver::config::Account;
use seedance_archiver_proto::v1::{VideoTaskLifecycleRequest, VideoTaskLifecycleResult};
use serde_json::Value;
use temporalio_client::{
    NamespacedClient, WorkflowCountOptions, grpc::WorkflowService, tonic::IntoRequest,
};
use temporalio_common::protos::temporal::api::{
    common::v1::WorkflowExecution, query::v1::WorkflowQuery,
    workflowservice::v1::QueryWorkflowRequest,
};

use crate::{
    gallery::generate::generate,
    harness::{Fixture, Server, command, read_local, register, until_async},
};

/// A key template with the fields of drafts.
const KEYS: &str = "{draft}/of={draft_task_id}/{task_id}";

async fn a_draft_and_its_final_are_archived_and_linked(server: Arc<Server>) -> anyhow::Result<()> {
    let account = server.unique_name("account");
    let keys = KEYS.parse()?;
    let change = |changed: &mut Account| {
        changed.endpoint.account = account.clone();
        changed.archive.keys = keys;
    };
    let fixture = Fixture::with_account(&server, change).await?;
    let pair = fixture
        .with_worker(&server, async {
            let draft = tasks::draft(&fixture, "").await?;
            let draft = Archived::new(&server, &fixture, &account, &draft).await?;
            let made_from = tasks::made_from(&fixture, &draft.id).await?;
            let made_from = Archived::new(&server, &fixture, &account, &made_from).await?;
            check_details(&server, &account, &draft, &made_from).await?;
            Ok((draft, made_from))
        })
        .await?;
    check_receipts(&pair)?;
    check_search_attributes(&server, &account, &pair).await?;
    check_list(&server, &account, &pair).await?;
    check_list_of_drafts(&server, &account, &pair).await?;
    check_gallery(&fixture, &pair).await
}
register!(a_draft_and_its_final_are_archived_and_linked);

/// An archived task.
struct Archived {
    id: String,
    /// URL of the receipt.
    receipt: String,
}

type Pair = (Archived, Archived);

impl Archived {
    async fn new(
        server: &Server,
        fixture: &Fixture,
        account: &str,
        id: &str,
    ) -> anyhow::Result<Self> {
        let request = VideoTaskLifecycleRequest {
            task_id: id.to_owned(),
            account: account.to_owned(),
            ..VideoTaskLifecycleRequest::default()
        };
        let lifecycle = fixture.start_lifecycle_with(server, request).await?;
        let result: VideoTaskLifecycleResult = lifecycle.result().await?;
        Ok(Self {
            id: id.to_owned(),
            receipt: result.manifest.context("no receipt")?.manifest_url,
        })
    }
}

fn check_receipts((draft, made_from): &Pair) -> anyhow::Result<()> {
    let receipt = |archived: &Archived| {
        let json = read_local(&archived.receipt)?;
        Ok::<Value, anyhow::Error>(serde_json::from_slice(&json)?)
    };
    let (of_draft, of_final) = (receipt(draft)?, receipt(made_from)?);
    ensure!(of_draft["draft"] == true, "{of_draft:#}");
    ensure!(of_draft["draft_task_id"].is_null(), "{of_draft:#}");
    ensure!(of_final["draft_task_id"] == draft.id, "{of_final:#}");
    ensure!(of_final["draft"] != true, "{of_final:#}");

    let key = format!("/draft/of=none/{}/manifest.json", draft.id);
    ensure!(draft.receipt.ends_with(&key), "{}", draft.receipt);
    let key = format!("/final/of={}/{}/manifest.json", draft.id, made_from.id);
    ensure!(made_from.receipt.ends_with(&key), "{}", made_from.receipt);
    Ok(())
}

async fn check_details(
    server: &Server,
    account: &str,
    draft: &Archived,
    made_from: &Archived,
) -> anyhow::Result<()> {
    let of_draft = details(server, account, &draft.id).await?;
    let expected = "a final video can be made from it until **20";
    ensure!(of_draft.contains(expected), "{of_draft}");
    let of_final = details(server, account, &made_from.id).await?;
    let expected = format!("Made from the draft `{}`", draft.id);
    ensure!(of_final.contains(&expected), "{of_final}");
    Ok(())
}

/// Returns the current details of a lifecycle, as the Web UI gets them from a worker.
async fn details(server: &Server, account: &str, id: &str) -> anyhow::Result<String> {
    let request = QueryWorkflowRequest {
        namespace: server.client.namespace(),
        execution: Some(WorkflowExecution {
            workflow_id: format!("video-task/{account}/{id}"),
            run_id: String::new(),
        }),
        query: Some(WorkflowQuery {
            query_type: "__temporal_workflow_metadata".into(),
            ..WorkflowQuery::default()
        }),
        ..QueryWorkflowRequest::default()
    };
    let mut service = server.client.clone();
    let response = service.query_workflow(request.into_request()).await?;
    let payloads = response.into_inner().query_result.context("no result")?;
    let payload = payloads.payloads.into_iter().next().context("no payload")?;
    Ok(String::from_utf8_lossy(&payload.data).into_owned())
}

async fn check_search_attributes(
    server: &Server,
    account: &str,
    (draft, made_from): &Pair,
) -> anyhow::Result<()> {
    let id = &draft.id;
    let of_account = format!("SeedanceAccount = '{account}'");
    for (query, found) in [
        ("SeedanceDraft = true".to_owned(), draft),
        (
            "SeedanceDraftDeadline > '2026-01-01T00:00:00Z'".to_owned(),
            draft,
        ),
        (format!("SeedanceDraftTaskId = '{id}'"), made_from),
    ] {
        let of_task = format!("SeedanceTaskId = '{}'", found.id);
        wait_until_counted(server, &format!("{query} AND {of_account}"), 1).await?;
        wait_until_counted(server, &format!("{query} AND {of_task}"), 1).await?;
    }
    Ok(())
}

/// Waits until a query finds this number of lifecycles. Visibility is eventually consistent.
async fn wait_until_counted(server: &Server, query: &str, expected: usize) -> anyhow::Result<()> {
    until_async(query, || async {
        let counted = server
            .client
            .count_workflows(query, WorkflowCountOptions::default());
        Ok(counted.await?.count() == expected)
    })
    .await
}

async fn check_list(
    server: &Server,
    account: &str,
    (draft, made_from): &Pair,
) -> anyhow::Result<()> {
    let table = list(server, &["--account", account]).await?;
    let row = |id: &str| {
        let row = table.lines().find(|line| line.starts_with(id));
        row.with_context(|| format!("no {id} in {table}"))
    };
    let of_draft = row(&draft.id)?;
    ensure!(of_draft.contains("draft, final until 20"), "{table}");
    let of_final = row(&made_from.id)?;
    ensure!(
        of_final.contains(&format!("from {}", draft.id)) && !of_final.contains("final until"),
        "{table}"
    );
    let json = list(server, &["--account", account, "--output", "json"]).await?;
    let json: Value = serde_json::from_str(&json)?;
    let lifecycles = json["lifecycles"].as_array().context("no list")?;
    let of_draft = lifecycles.iter().find(|it| it["task_id"] == draft.id);
    let of_draft = of_draft.context("no draft")?;
    ensure!(
        of_draft["is_draft"] == true && of_draft["draft_deadline"].as_i64() > Some(0),
        "{of_draft:#}"
    );
    Ok(())
}

async fn check_list_of_drafts(
    server: &Server,
    account: &str,
    (draft, made_from): &Pair,
) -> anyhow::Result<()> {
    let arguments = ["--drafts", "--account", account];
    let table = list(server, &arguments).await?;
    let row = table.lines().find(|line| line.starts_with(&draft.id));
    let row = row.with_context(|| format!("no row in {table}"))?;
    for part in ["archived", "(6d 23h left)", &made_from.id] {
        ensure!(row.contains(part), "no {part:?} in {row}");
    }
    let is_listed = table.lines().any(|line| line.starts_with(&made_from.id));
    ensure!(!is_listed, "the final is not a draft: {table}");

    let json = list(server, &[&arguments[..], &["--output", "json"]].concat()).await?;
    let json: Value = serde_json::from_str(&json)?;
    let drafts = json["drafts"].as_array().context("no list")?;
    ensure!(drafts.len() == 1, "{json:#}");
    ensure!(drafts[0]["finals"][0] == made_from.id, "{json:#}");
    ensure!(json["has_more"] == false, "{json:#}");
    Ok(())
}

async fn list(server: &Server, arguments: &[&str]) -> anyhow::Result<String> {
    let mut command = command();
    command.arg("list").args(arguments);
    let output = command.envs(server.environment()).output().await?;
    let stderr = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{arguments:?}: {stderr}");
    Ok(String::from_utf8(output.stdout)?)
}

async fn check_gallery(fixture: &Fixture, (draft, made_from): &Pair) -> anyhow::Result<()> {
    let archive = fixture.config.archive_url.as_str();
    let gallery = generate(&[("SEEDANCE_ARCHIVE_URL", archive)], &[]).await?;
    let data = gallery.data()?;
    let videos = data["videos"].as_array().context("no videos")?;
    let card = |id: &str| {
        let card = videos.iter().find(|video| video["id"] == *id);
        card.with_context(|| format!("no {id} in {data:#}"))
    };
    let of_draft = card(&draft.id)?;
    ensure!(
        of_draft["draft"] == true && of_draft["draft_task_id"].is_null(),
        "{of_draft:#}"
    );
    let of_final = card(&made_from.id)?;
    ensure!(
        of_final["draft_task_id"] == draft.id && of_final["draft"].is_null(),
        "{of_final:#}"
    );
    Ok(())
}
