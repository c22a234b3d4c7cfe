//! The commands that show tasks and lifecycles: `query`, `status` and `list`.

use std::{process::Output, sync::Arc, time::Duration};

use anyhow::{Context, ensure};
use seedance_archiver_proto::v1::VideoTaskLifecycleRequest;
use seedance_archiver_simulator::{Ending, Script};
use serde_json::Value;
use temporalio_client::{NamespacedClient, WorkflowTerminateOptions};

use crate::harness::{Fixture, HOUR, Server, command, register, until_async};

/// Runs a command with the fixture's configuration, and checks that it prints no secret.
async fn run(server: &Server, fixture: &Fixture, arguments: &[&str]) -> anyhow::Result<Output> {
    let output = command()
        .args(arguments)
        .envs(server.environment())
        .env("SEEDANCE_BASE_URL", fixture.simulator.base_url())
        .env("SEEDANCE_API_KEY", fixture.simulator.api_key())
        .kill_on_drop(true)
        .output()
        .await?;
    for text in [&output.stdout, &output.stderr] {
        let text = String::from_utf8_lossy(text);
        let has_secret = text.contains("X-Tos") || text.contains(fixture.simulator.api_key());
        ensure!(!has_secret, "a secret was printed: {text}");
    }
    Ok(output)
}

/// Runs a command that succeeds, and returns its standard output.
async fn text(server: &Server, fixture: &Fixture, arguments: &[&str]) -> anyhow::Result<String> {
    let output = run(server, fixture, arguments).await?;
    let stderr = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{arguments:?}: {stderr}");
    Ok(String::from_utf8(output.stdout)?)
}

/// Runs a command that succeeds, and parses its JSON.
async fn json(server: &Server, fixture: &Fixture, arguments: &[&str]) -> anyhow::Result<Value> {
    let arguments = [arguments, &["--output", "json"]].concat();
    let text = text(server, fixture, &arguments).await?;
    serde_json::from_str(&text).with_context(|| format!("not JSON: {text}"))
}

/// Runs a command that fails, and returns its standard error.
async fn error(server: &Server, fixture: &Fixture, arguments: &[&str]) -> anyhow::Result<String> {
    let output = run(server, fixture, arguments).await?;
    let stderr = String::from_utf8(output.stderr)?;
    ensure!(
        output.status.code() == Some(1),
        "{}: {stderr}",
        output.status
    );
    Ok(stderr)
}

/// Finds a name in a list of name-value pairs, and returns its value.
fn value<'a>(pairs: &'a str, name: &str) -> anyhow::Result<&'a str> {
    let line = pairs.lines().find_map(|line| line.strip_prefix(name));
    let value = line.filter(|value| value.starts_with("  "));
    Ok(value
        .with_context(|| format!("no {name:?} in: {pairs}"))?
        .trim())
}

async fn query_prints_the_task_record(server: Arc<Server>) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let [succeeded, failed] = [Ending::Succeeded, Ending::Failed].map(|ending| {
        fixture.simulator.create(Script {
            ending,
            queued: Some(Duration::ZERO),
            running: Some(Duration::ZERO),
            ..Script::default()
        })
    });
    let pairs = text(&server, &fixture, &["query", &succeeded]).await?;
    ensure!(value(&pairs, "task")? == succeeded, "{pairs}");
    ensure!(value(&pairs, "status")? == "succeeded", "{pairs}");
    ensure!(
        value(&pairs, "updated")?.ends_with("ago)") || pairs.contains("(now)"),
        "{pairs}"
    );
    ensure!(value(&pairs, "deadline")?.ends_with(" left)"), "{pairs}");
    ensure!(value(&pairs, "files")? == "video", "{pairs}");
    ensure!(value(&pairs, "usage")?.ends_with(" tokens"), "{pairs}");

    let record = json(&server, &fixture, &["query", &succeeded]).await?;
    ensure!(
        record["id"] == succeeded && record["status"] == "succeeded",
        "{record:#}"
    );
    let url = record["content"]["video_url"].as_str().context("no URL")?;
    ensure!(url.starts_with("sealed:v2:"), "{record:#}");
    ensure!(
        record["archive_deadline"].as_i64() > record["created_at"].as_i64(),
        "{record:#}"
    );

    let pairs = text(&server, &fixture, &["query", &failed]).await?;
    ensure!(
        value(&pairs, "error")?.starts_with("OutputVideo"),
        "{pairs}"
    );
    Ok(())
}
register!(query_prints_the_task_record);

async fn query_prints_why_it_failed(server: Arc<Server>) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let stderr = error(&server, &fixture, &["query", "cgt-nobody"]).await?;
    for part in ["cgt-nobody", "account `default`", "HTTP 404", "/api/v3"] {
        ensure!(stderr.contains(part), "no {part:?} in {stderr}");
    }
    let stderr = error(&server, &fixture, &["query", "cgt-1", "--account", "eu"]).await?;
    ensure!(stderr.contains("it serves `default`"), "{stderr}");
    let stderr = error(&server, &fixture, &["query", "a/b"]).await?;
    ensure!(stderr.contains("contains a slash"), "{stderr}");
    let output = command().args(["query", "cgt-1"]).output().await?;
    ensure!(output.status.code() == Some(78), "{output:?}");
    let stderr = String::from_utf8(output.stderr)?;
    ensure!(stderr.contains("SEEDANCE_API_KEY is not set"), "{stderr}");
    ensure!(
        !stderr.contains("ARCHIVE_URL"),
        "`query` needs no archive: {stderr}"
    );
    Ok(())
}
register!(query_prints_why_it_failed);

async fn status_shows_a_waiting_lifecycle(server: Arc<Server>) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let id = fixture.simulator.create(Script {
        running: Some(HOUR),
        ..Script::default()
    });
    fixture
        .with_worker(&server, async {
            fixture.start_lifecycle(&server, &id).await?;
            until_async("the lifecycle shows that the task is running", || async {
                let state = json(&server, &fixture, &["status", &id]).await?;
                Ok(state["progress"]["task"]["status"] == "running"
                    && state["pending"]["attempt"].as_i64() > Some(1))
            })
            .await?;
            let state = json(&server, &fixture, &["status", &id]).await?;
            ensure!(state["execution"] == "running", "{state:#}");
            ensure!(state["pending"]["activity"] == "query", "{state:#}");
            ensure!(state["progress"]["phase"] == "waiting", "{state:#}");
            let pairs = text(&server, &fixture, &["status", &id]).await?;
            ensure!(value(&pairs, "execution")? == "running", "{pairs}");
            ensure!(
                value(&pairs, "pending activity")?.starts_with("`query`, attempt "),
                "{pairs}"
            );
            ensure!(
                value(&pairs, "last message")?.contains("running"),
                "{pairs}"
            );
            ensure!(value(&pairs, "status")? == "running", "{pairs}");
            ensure!(value(&pairs, "deadline")?.ends_with(" left)"), "{pairs}");
            Ok(())
        })
        .await?;
    // The worker has stopped. Temporal still has the search attributes and the pending activity.
    let pairs = text(&server, &fixture, &["status", &id]).await?;
    ensure!(
        value(&pairs, "progress")?.starts_with("no worker answered"),
        "{pairs}"
    );
    ensure!(value(&pairs, "status")? == "running", "{pairs}");
    let options = WorkflowTerminateOptions::default();
    server.lifecycle(&id).terminate(options).await?;
    let pairs = text(&server, &fixture, &["status", &id]).await?;
    ensure!(value(&pairs, "execution")? == "terminated", "{pairs}");
    Ok(())
}
register!(status_shows_a_waiting_lifecycle);

async fn status_shows_a_completed_lifecycle(server: Arc<Server>) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let id = fixture.simulator.create(Script::default());
    let manifest = fixture
        .run_lifecycle(&server, &id)
        .await?
        .manifest
        .context("not archived")?;
    let pairs = text(&server, &fixture, &["status", &id]).await?;
    ensure!(value(&pairs, "outcome")? == "archived", "{pairs}");
    ensure!(
        value(&pairs, "receipt")? == manifest.manifest_url,
        "{pairs}"
    );
    ensure!(value(&pairs, "execution")? == "completed", "{pairs}");
    let state = json(&server, &fixture, &["status", &id]).await?;
    ensure!(state["result"]["outcome"] == "archived", "{state:#}");
    ensure!(
        state["search_attributes"]["SeedanceOutcome"] == "archived",
        "{state:#}"
    );
    ensure!(
        state["pending"].is_null() && state["ended_at"].as_i64() > Some(0),
        "{state:#}"
    );
    Ok(())
}
register!(status_shows_a_completed_lifecycle);

async fn status_reports_a_missing_lifecycle(server: Arc<Server>) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let stderr = error(&server, &fixture, &["status", "cgt-nobody"]).await?;
    for part in [
        "has no lifecycle",
        "video-task/default/cgt-nobody",
        &format!("the namespace `{}`", server.client.namespace()),
        "archive",
    ] {
        ensure!(stderr.contains(part), "no {part:?} in {stderr}");
    }
    Ok(())
}
register!(status_reports_a_missing_lifecycle);

async fn list_filters_by_outcome_status_and_deadline(server: Arc<Server>) -> anyhow::Result<()> {
    let name = server.unique_name("account");
    let account = name.clone();
    let fixture =
        Fixture::with_account(&server, |changed| changed.endpoint.account = account).await?;
    let scripts = [
        (Ending::Succeeded, Duration::ZERO),
        (Ending::Failed, Duration::ZERO),
        (Ending::Succeeded, HOUR),
    ];
    let [archived, failed, running] = scripts.map(|(ending, running)| {
        fixture.simulator.create(Script {
            ending,
            running: Some(running),
            ..Script::default()
        })
    });
    let list = async |filter: &[&str]| {
        let arguments = [&["list", "--account", &name], filter].concat();
        let list = json(&server, &fixture, &arguments).await?;
        let lifecycles = list["lifecycles"].as_array().context("no list")?;
        let ids = lifecycles
            .iter()
            .map(|lifecycle| lifecycle["task_id"].as_str());
        let mut ids: Vec<_> = ids.flatten().map(str::to_owned).collect();
        ids.sort();
        Ok::<_, anyhow::Error>(ids)
    };
    fixture
        .with_worker(&server, async {
            for id in [&archived, &failed, &running] {
                let request = VideoTaskLifecycleRequest {
                    task_id: id.clone(),
                    account: name.clone(),
                    ..VideoTaskLifecycleRequest::default()
                };
                fixture.start_lifecycle_with(&server, request).await?;
            }
            let all = [&archived, &failed, &running].map(Clone::clone);
            for (filter, expected) in [
                (vec!["--outcome", "archived"], &all[..1]),
                (vec!["--outcome", "unsuccessful"], &all[1..2]),
                (vec!["--status", "running"], &all[2..]),
                (vec!["--before-deadline", "8d"], &all[2..]),
                (vec!["--before-deadline", "6h"], &[]),
                (vec![], &all[..]),
                (
                    vec!["--status", "it's \\ \" odd' OR SeedanceStatus = 'running"],
                    &[],
                ),
            ] {
                let mut expected = expected.to_vec();
                expected.sort();
                // Visibility is eventually consistent.
                until_async(&format!("{filter:?} finds {expected:?}"), || async {
                    Ok(list(&filter).await? == expected)
                })
                .await?;
            }
            Ok(())
        })
        .await?;
    let list = async || text(&server, &fixture, &["list", "--account", &name]).await;
    // A lifecycle is shown as started "now" for its first second.
    until_async("all lifecycles are older than a second", || async {
        Ok(!list().await?.contains("(now)"))
    })
    .await?;
    let table = list().await?;
    let row = table.lines().find(|line| line.contains(&running));
    let row = row.with_context(|| format!("no row in {table}"))?;
    for part in [
        name.as_str(),
        "seedance-1-5-pro",
        "running",
        " left)",
        " ago)",
    ] {
        ensure!(row.contains(part), "no {part:?} in {row}");
    }
    let table = text(
        &server,
        &fixture,
        &["list", "--account", &name, "--limit", "1"],
    )
    .await?;
    ensure!(
        table.contains("1 of about 3; use --limit 10 to show more"),
        "{table}"
    );
    Ok(())
}
register!(list_filters_by_outcome_status_and_deadline);

async fn list_rejects_unknown_outcomes_and_missing_search_attributes(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let output = run(&server, &fixture, &["list", "--outcome", "gone"]).await?;
    ensure!(output.status.code() == Some(2), "{output:?}");
    let stderr = String::from_utf8(output.stderr)?;
    ensure!(
        stderr.contains("archived, unsuccessful, lost, unknown"),
        "{stderr}"
    );
    let stderr = error(&server, &fixture, &["list", "--account", "a'b"]).await?;
    ensure!(
        stderr.contains("--account may contain only letters"),
        "{stderr}"
    );

    let server = server.with_new_namespace().await?;
    let namespace = server.client.namespace();
    let list = async |arguments: &[&str]| {
        let mut command = command();
        command.arg("list").args(arguments);
        command.envs(server.environment()).output().await
    };
    let output = list(&["--status", "running"]).await?;
    let stderr = String::from_utf8(output.stderr)?;
    ensure!(output.status.code() == Some(1), "{stderr}");
    for part in ["SeedanceStatus", &namespace, "`seedance-archiver setup`"] {
        ensure!(stderr.contains(part), "no {part:?} in {stderr}");
    }
    let output = list(&[]).await?;
    let stderr = String::from_utf8(output.stderr)?;
    ensure!(output.status.success(), "{stderr}");
    ensure!(stderr.contains("lacks search attributes"), "{stderr}");
    Ok(())
}
register!(list_rejects_unknown_outcomes_and_missing_search_attributes);
