//! `list --user`, which needs a search attribute that only operators register.

use std::sync::Arc;

use anyhow::{Context, ensure};
use seedance_archiver::temporal::search_attributes;
use serde_json::Value;
use temporalio_client::WorkflowCountOptions;

use crate::{
    harness::{Fixture, Server, command, created_task::create_task_of, register, until_async},
    operations::process::WorkerProcess,
};

/// A user whose id a visibility query would read as something else.
const USER: &str = "user-7' OR 'a'='a %_* Ünal";

async fn list(server: &Server, arguments: &[&str]) -> anyhow::Result<std::process::Output> {
    Ok(command()
        .arg("list")
        .args(arguments)
        .envs(server.environment())
        .output()
        .await?)
}

async fn lifecycles_of_a_user_are_listed(server: Arc<Server>) -> anyhow::Result<()> {
    let server = server.with_new_namespace().await?;
    search_attributes::register(&server.client, &[search_attributes::USER]).await?;
    let fixture = Fixture::new(&server).await?;
    let mut ids = Vec::new();
    for user in [USER, "user-7", ""] {
        let id = create_task_of(&fixture.simulator, user).await?;
        let result = fixture.run_lifecycle(&server, &id).await?;
        ensure!(result.outcome == "archived", "{result:?}");
        ids.push(id);
    }
    until_async("the outcomes are visible", || async {
        let query = "SeedanceOutcome = 'archived'";
        let options = WorkflowCountOptions::default();
        Ok(server.client.count_workflows(query, options).await?.count() == ids.len())
    })
    .await?;
    for (user, id) in [(USER, &ids[0]), ("user-7", &ids[1])] {
        let output = list(&server, &["--user", user, "--output", "json"]).await?;
        ensure!(output.status.success(), "{output:?}");
        let document: Value = serde_json::from_slice(&output.stdout)?;
        let found = document["lifecycles"].as_array().map_or(0, Vec::len);
        ensure!(found == 1, "{document}");
        let lifecycle = &document["lifecycles"][0];
        ensure!(
            lifecycle["task_id"] == **id && lifecycle["user"] == user,
            "{document}"
        );
    }
    let table = list(&server, &[]).await?;
    let table = String::from_utf8_lossy(&table.stdout).into_owned();
    ensure!(table.contains(" user ") && table.contains(USER), "{table}");
    Ok(())
}
register!(lifecycles_of_a_user_are_listed);

/// A worker that wrote search attributes only from its next start would hide lifecycles from alerts and lists until then.
async fn a_running_worker_notices_a_new_search_attribute(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let server = server.with_new_namespace().await?;
    search_attributes::register(&server.client, &search_attributes::ALL).await?;
    let fixture = Fixture::new(&server).await?;
    let worker = WorkerProcess::start(&fixture, &server, &[])?;
    worker.wait_for_log("polling").await?;
    search_attributes::register(&server.client, &[search_attributes::USER]).await?;
    worker
        .wait_for_log("registered search attributes changed")
        .await?;
    let id = create_task_of(&fixture.simulator, "user-7").await?;
    let lifecycle = fixture.start_lifecycle(&server, &id).await?;
    let result = lifecycle.result().await?;
    ensure!(result.outcome == "archived", "{result:?}");
    let snapshot = lifecycle.describe().await?.context("no lifecycle")?;
    let user = snapshot.search_attributes.get("SeedanceUser");
    ensure!(user == "user-7", "{user:?}");
    Ok(())
}
register!(a_running_worker_notices_a_new_search_attribute);

/// In most namespaces nobody registered it. Lifecycles then write the others.
async fn without_the_attribute_the_command_names_it(server: Arc<Server>) -> anyhow::Result<()> {
    let server = server.with_new_namespace().await?;
    let fixture = Fixture::new(&server).await?;
    let id = create_task_of(&fixture.simulator, "user-7").await?;
    let result = fixture.run_lifecycle(&server, &id).await?;
    ensure!(result.outcome == "archived", "{result:?}");
    let long = "x".repeat(65_536);
    for (user, problem) in [
        (
            "user-7",
            "search-attribute create --name SeedanceUser --type Keyword",
        ),
        ("", "--user is empty"),
        ("a\\b", "--user contains a backslash"),
        (&long, "--user has 65536 characters"),
    ] {
        let output = list(&server, &["--user", user]).await?;
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        ensure!(
            output.status.code() == Some(1) && stderr.contains(problem),
            "{stderr}"
        );
        ensure!(stderr.len() < 2_000, "{stderr}");
    }
    Ok(())
}
register!(without_the_attribute_the_command_names_it);
