//! Commands that look: `query`, `status` and `list`.

use std::{process::Output, sync::Arc, time::Duration};

use anyhow::{Context, ensure};
use seedance_archiver_proto::v1::VideoTaskLifecycleRequest;
use seedance_archiver_simulator::{Ending, Script};
use serde_json::Value;
use temporalio_client::WorkflowTerminateOptions;

use crate::{
    Suite,
    world::{Server, World, command, until_async},
};

pub(crate) fn tests(suite: Suite) -> Suite {
    suite
        .test("looking::query_tells_the_record", query_tells_the_record)
        .test(
            "looking::query_says_why_it_cannot",
            query_says_why_it_cannot,
        )
        .test(
            "looking::status_tells_what_is_awaited",
            status_while_waiting,
        )
        .test("looking::status_tells_the_end", status_at_the_end)
        .test(
            "looking::status_says_that_there_is_nothing",
            status_of_nothing,
        )
        .test("looking::list_finds_by_what_is_known", list_finds)
        .test("looking::list_refuses_what_there_is_not", list_refuses)
}

const NEVER: Duration = Duration::from_secs(3_600);

/// The binary with this world in its environment.
async fn run(server: &Server, world: &World, arguments: &[&str]) -> anyhow::Result<Output> {
    let output = command()
        .args(arguments)
        .env("TEMPORAL_ADDRESS", &server.address)
        .env("SEEDANCE_BASE_URL", world.simulator.base_url())
        .env("SEEDANCE_API_KEY", world.simulator.api_key())
        .kill_on_drop(true)
        .output()
        .await?;
    for text in [&output.stdout, &output.stderr] {
        let text = String::from_utf8_lossy(text);
        let has_secret = text.contains("X-Tos") || text.contains(world.simulator.api_key());
        ensure!(!has_secret, "a secret is shown: {text}");
    }
    Ok(output)
}

async fn text(server: &Server, world: &World, arguments: &[&str]) -> anyhow::Result<String> {
    let output = run(server, world, arguments).await?;
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{arguments:?}: {errors}");
    Ok(String::from_utf8(output.stdout)?)
}

async fn json(server: &Server, world: &World, arguments: &[&str]) -> anyhow::Result<Value> {
    let arguments = [arguments, &["--output", "json"]].concat();
    let text = text(server, world, &arguments).await?;
    serde_json::from_str(&text).with_context(|| format!("no JSON: {text}"))
}

/// What is said on stderr, of a command that fails.
async fn fault(server: &Server, world: &World, arguments: &[&str]) -> anyhow::Result<String> {
    let output = run(server, world, arguments).await?;
    let errors = String::from_utf8(output.stderr)?;
    ensure!(
        output.status.code() == Some(1),
        "{}: {errors}",
        output.status
    );
    Ok(errors)
}

/// The value behind a name, in a list of pairs.
fn value<'a>(pairs: &'a str, name: &str) -> anyhow::Result<&'a str> {
    let line = pairs.lines().find_map(|line| line.strip_prefix(name));
    let value = line.filter(|value| value.starts_with("  "));
    Ok(value
        .with_context(|| format!("no {name:?} in: {pairs}"))?
        .trim())
}

async fn query_tells_the_record(server: Arc<Server>) -> anyhow::Result<()> {
    let world = World::new(&server).await?;
    let [made, failed] = [Ending::Succeeded, Ending::Failed].map(|ending| {
        world.simulator.create(Script {
            ending,
            queued: Some(Duration::ZERO),
            running: Some(Duration::ZERO),
            ..Script::default()
        })
    });
    let pairs = text(&server, &world, &["query", &made]).await?;
    ensure!(value(&pairs, "task")? == made, "{pairs}");
    ensure!(value(&pairs, "status")? == "succeeded", "{pairs}");
    ensure!(
        value(&pairs, "since")?.ends_with("ago)") || pairs.contains("(now)"),
        "{pairs}"
    );
    ensure!(value(&pairs, "deadline")?.ends_with(" left)"), "{pairs}");
    ensure!(value(&pairs, "made")? == "video", "{pairs}");
    ensure!(value(&pairs, "usage")?.ends_with(" tokens"), "{pairs}");

    let record = json(&server, &world, &["query", &made]).await?;
    ensure!(
        record["id"] == made && record["status"] == "succeeded",
        "{record:#}"
    );
    let url = record["content"]["video_url"].as_str().context("no URL")?;
    ensure!(url.starts_with("sealed:v1:"), "{record:#}");
    ensure!(
        record["archive_deadline"].as_i64() > record["created_at"].as_i64(),
        "{record:#}"
    );

    let pairs = text(&server, &world, &["query", &failed]).await?;
    ensure!(
        value(&pairs, "error")?.starts_with("OutputVideo"),
        "{pairs}"
    );
    Ok(())
}

async fn query_says_why_it_cannot(server: Arc<Server>) -> anyhow::Result<()> {
    let world = World::new(&server).await?;
    let words = fault(&server, &world, &["query", "cgt-nobody"]).await?;
    for part in ["cgt-nobody", "account `default`", "HTTP 404", "/api/v3"] {
        ensure!(words.contains(part), "no {part:?} in {words}");
    }
    let words = fault(&server, &world, &["query", "cgt-1", "--account", "eu"]).await?;
    ensure!(words.contains("it has `default`"), "{words}");
    let words = fault(&server, &world, &["query", "a/b"]).await?;
    ensure!(words.contains("contains a slash"), "{words}");
    let output = command().args(["query", "cgt-1"]).output().await?;
    ensure!(output.status.code() == Some(78), "{output:?}");
    let words = String::from_utf8(output.stderr)?;
    ensure!(words.contains("SEEDANCE_API_KEY is not set"), "{words}");
    ensure!(
        !words.contains("ARCHIVE_URL"),
        "it needs no archive: {words}"
    );
    Ok(())
}

async fn status_while_waiting(server: Arc<Server>) -> anyhow::Result<()> {
    let world = World::new(&server).await?;
    let id = world.simulator.create(Script {
        running: Some(NEVER),
        ..Script::default()
    });
    world
        .with_worker(&server, async {
            world.start(&server, &id).await?;
            until_async("the lifecycle knows that the task runs", || async {
                let state = json(&server, &world, &["status", &id]).await?;
                Ok(state["progress"]["task"]["status"] == "running"
                    && state["pending"]["attempt"].as_i64() > Some(1))
            })
            .await?;
            let state = json(&server, &world, &["status", &id]).await?;
            ensure!(state["execution"] == "running", "{state:#}");
            ensure!(state["pending"]["activity"] == "query", "{state:#}");
            ensure!(state["progress"]["phase"] == "waiting", "{state:#}");
            let pairs = text(&server, &world, &["status", &id]).await?;
            ensure!(value(&pairs, "workflow")? == "running", "{pairs}");
            ensure!(
                value(&pairs, "waits for")?.starts_with("`query`, attempt "),
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
    // Nobody answers any more, and the server still knows much.
    let pairs = text(&server, &world, &["status", &id]).await?;
    ensure!(
        value(&pairs, "no answer")?.starts_with("no worker answered"),
        "{pairs}"
    );
    ensure!(value(&pairs, "status")? == "running", "{pairs}");
    let stop = WorkflowTerminateOptions::default();
    server.lifecycle(&id).terminate(stop).await?;
    let pairs = text(&server, &world, &["status", &id]).await?;
    ensure!(value(&pairs, "workflow")? == "terminated", "{pairs}");
    Ok(())
}

async fn status_at_the_end(server: Arc<Server>) -> anyhow::Result<()> {
    let world = World::new(&server).await?;
    let id = world.simulator.create(Script::default());
    let manifest = world.run(&server, &id).await?.manifest.context("lost")?;
    let pairs = text(&server, &world, &["status", &id]).await?;
    ensure!(value(&pairs, "outcome")? == "archived", "{pairs}");
    ensure!(
        value(&pairs, "receipt")? == manifest.manifest_url,
        "{pairs}"
    );
    ensure!(value(&pairs, "workflow")? == "completed", "{pairs}");
    let state = json(&server, &world, &["status", &id]).await?;
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

async fn status_of_nothing(server: Arc<Server>) -> anyhow::Result<()> {
    let world = World::new(&server).await?;
    let words = fault(&server, &world, &["status", "cgt-nobody"]).await?;
    for part in [
        "has no lifecycle",
        "video-task/default/cgt-nobody",
        "`default`",
        "archive",
    ] {
        ensure!(words.contains(part), "no {part:?} in {words}");
    }
    Ok(())
}

async fn list_finds(server: Arc<Server>) -> anyhow::Result<()> {
    let name = server.unique("account");
    let account = name.clone();
    let world = World::with(&server, |it| it, |it| it.endpoint.account = account).await?;
    let scripts = [
        (Ending::Succeeded, Duration::ZERO),
        (Ending::Failed, Duration::ZERO),
        (Ending::Succeeded, NEVER),
    ];
    let [archived, failed, running] = scripts.map(|(ending, running)| {
        world.simulator.create(Script {
            ending,
            running: Some(running),
            ..Script::default()
        })
    });
    let list = async |more: &[&str]| {
        let arguments = [&["list", "--account", &name], more].concat();
        let found = json(&server, &world, &arguments).await?;
        let lifecycles = found["lifecycles"].as_array().context("no list")?;
        let ids = lifecycles.iter().map(|it| it["task_id"].as_str());
        let mut ids: Vec<_> = ids.flatten().map(str::to_owned).collect();
        ids.sort();
        Ok::<_, anyhow::Error>(ids)
    };
    world
        .with_worker(&server, async {
            for id in [&archived, &failed, &running] {
                let request = VideoTaskLifecycleRequest {
                    task_id: id.clone(),
                    account: name.clone(),
                    ..VideoTaskLifecycleRequest::default()
                };
                world.start_with(&server, request).await?;
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
                // Visibility lags behind.
                until_async(&format!("{filter:?} finds {expected:?}"), || async {
                    Ok(list(&filter).await? == expected)
                })
                .await?;
            }
            Ok(())
        })
        .await?;
    let list = async || text(&server, &world, &["list", "--account", &name]).await;
    // In its first second it began "now".
    until_async("all have an age", || async {
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
        &world,
        &["list", "--account", &name, "--limit", "1"],
    )
    .await?;
    ensure!(
        table.contains("1 of about 3: --limit 10 shows more"),
        "{table}"
    );
    Ok(())
}

async fn list_refuses(server: Arc<Server>) -> anyhow::Result<()> {
    let world = World::new(&server).await?;
    let output = run(&server, &world, &["list", "--outcome", "gone"]).await?;
    ensure!(output.status.code() == Some(2), "{output:?}");
    let words = String::from_utf8(output.stderr)?;
    ensure!(
        words.contains("archived, unsuccessful, lost, unknown"),
        "{words}"
    );
    let words = fault(&server, &world, &["list", "--account", "a'b"]).await?;
    ensure!(
        words.contains("--account may contain only letters"),
        "{words}"
    );

    let client = server.in_namespace().await?.client;
    let namespace = client.options().namespace.clone();
    let list = async |arguments: &[&str]| {
        let mut command = command();
        command.arg("list").args(arguments);
        command.env("TEMPORAL_ADDRESS", &server.address);
        command.env("TEMPORAL_NAMESPACE", &namespace).output().await
    };
    let output = list(&["--status", "running"]).await?;
    let words = String::from_utf8(output.stderr)?;
    ensure!(output.status.code() == Some(1), "{words}");
    for part in ["SeedanceStatus", &namespace, "`seedance-archiver setup`"] {
        ensure!(words.contains(part), "no {part:?} in {words}");
    }
    let output = list(&[]).await?;
    let words = String::from_utf8(output.stderr)?;
    ensure!(output.status.success(), "{words}");
    ensure!(words.contains("lacks search attributes"), "{words}");
    Ok(())
}
