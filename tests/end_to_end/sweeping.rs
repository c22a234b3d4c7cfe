//! Sweeps: every task of an account gets what it lacks, and nothing twice.

mod ended;

use std::{path::PathBuf, sync::Arc, time::Duration};

use anyhow::{Context, ensure};
use seedance_archiver::{
    archive::Archive,
    config::Account,
    seedance::{self, RateLimit},
    temporal::{lifecycles::Lifecycle, sweeps},
};
use seedance_archiver_proto::{
    names,
    v1::{SweepVideoTasksRequest, SweepVideoTasksResult, VideoTaskLifecycleRequest},
};
use seedance_archiver_simulator::{Ending, Fault, Script};
use seedance_archiver_workflows::SweepVideoTasks;
use serde_json::Value;
use tempfile::TempDir;
use temporalio_client::{Client, WorkflowFetchHistoryOptions, WorkflowHandle};
use temporalio_common::protos::temporal::api::history::v1::history_event::Attributes;
use tokio::process::Child;

use crate::{
    Suite,
    world::{Server, World, command, until},
};

pub(crate) fn tests(suite: Suite) -> Suite {
    suite
        .test(
            "sweeping::starts_what_is_missing_and_only_that",
            starts_what_is_missing,
        )
        .test(
            "sweeping::what_somebody_cancelled_stays_cancelled",
            ended::cancelled,
        )
        .test(
            "sweeping::an_ending_without_a_trace_is_no_loop",
            ended::without_a_trace,
        )
        .test("sweeping::goes_on_in_another_run", goes_on_in_another_run)
        .test(
            "sweeping::another_worker_goes_on_for_a_killed_one",
            killed_worker,
        )
        .test("sweeping::a_list_that_fails_is_asked_again", failing_list)
        .test("sweeping::an_unknown_account_is_told", unknown_account)
}

/// A world whose account no other sweep of the run has, and lists as often as it likes.
pub(crate) async fn world(
    server: &Server,
    change: impl FnOnce(&mut Account),
) -> anyhow::Result<(World, String)> {
    let name = server.unique("swept");
    let account = |account: &mut Account| {
        account.endpoint.account = name.clone();
        account.endpoint.list_limit = RateLimit::per_second(1_000.0);
        change(account);
    };
    let world = World::with(server, |simulator| simulator, account).await?;
    Ok((world, name))
}

async fn start(world: &World, server: &Server, account: &str) -> anyhow::Result<sweeps::Sweep> {
    let request = SweepVideoTasksRequest {
        account: account.to_owned(),
        ..SweepVideoTasksRequest::default()
    };
    Ok(sweeps::start(&server.client, &world.config.task_queue, request).await?)
}

async fn sweep(
    world: &World,
    server: &Server,
    account: &str,
) -> anyhow::Result<SweepVideoTasksResult> {
    Ok(start(world, server, account).await?.result().await?)
}

/// The lifecycle of a task, started or joined.
pub(crate) async fn lifecycle(
    world: &World,
    server: &Server,
    account: &str,
    task_id: &str,
) -> anyhow::Result<Lifecycle> {
    let request = VideoTaskLifecycleRequest {
        task_id: task_id.to_owned(),
        account: account.to_owned(),
        ..VideoTaskLifecycleRequest::default()
    };
    world.start_with(server, request).await
}

fn result([listed, archived, ended, running, started]: [i64; 5]) -> SweepVideoTasksResult {
    SweepVideoTasksResult {
        listed,
        archived,
        ended,
        running,
        started,
    }
}

/// The sweep of an account, as any client sees it.
fn workflow(server: &Server, account: &str) -> WorkflowHandle<Client, SweepVideoTasks> {
    let id = names::sweep_workflow_id(account);
    server.client.get_workflow_handle(id)
}

/// The history of a sweep of several pages, in which something is started.
pub(crate) async fn history(server: &Server) -> anyhow::Result<Vec<u8>> {
    let (world, account) = world(server, |account| account.endpoint.list_page_size = 1).await?;
    for _ in 0..2 {
        world.simulator.create(Script::default());
    }
    let swept = world
        .with_worker(server, sweep(&world, server, &account))
        .await?;
    ensure!(swept.started == 2, "{swept:?}");
    let history = workflow(server, &account).fetch_history(WorkflowFetchHistoryOptions::default());
    Ok(history.to_json().await?)
}

async fn starts_what_is_missing(server: Arc<Server>) -> anyhow::Result<()> {
    let (world, account) = world(&server, |_| {}).await?;
    let create = |script| world.simulator.create(script);
    let archived = create(Script::default());
    let failed = create(Script {
        ending: Ending::Failed,
        ..Script::default()
    });
    let running = create(Script {
        queued: Some(Duration::from_secs(3600)),
        ..Script::default()
    });
    let new = create(Script::default());
    let flex = create(Script {
        flex: true,
        ..Script::default()
    });
    create(Script {
        age: Duration::from_secs(8 * 24 * 60 * 60),
        ..Script::default()
    });
    let follow = |id: &str| {
        let id = id.to_owned();
        let (world, server, account) = (&world, &server, &account);
        async move { lifecycle(world, server, account, &id).await }
    };
    world
        .with_worker(&server, async {
            follow(&archived).await?.result().await?;
            follow(&failed).await?.result().await?;
            follow(&running).await?;

            let first = sweep(&world, &server, &account).await?;
            ensure!(first == result([5, 1, 1, 1, 2]), "{first:?}");
            for id in [&new, &flex] {
                let outcome = follow(id).await?.result().await?.outcome;
                ensure!(outcome == "archived", "{id} is {outcome}");
            }
            let second = sweep(&world, &server, &account).await?;
            ensure!(second == result([5, 3, 1, 1, 0]), "{second:?}");
            let third = once_by_command(&world, &server, &account).await?;
            ensure!(third["archived"] == 3 && third["started"] == 0, "{third}");
            Ok(())
        })
        .await?;
    // What is archived is found by its receipt, by a worker that remembers nothing too.
    let fresh = world
        .with_worker(&server, sweep(&world, &server, &account))
        .await?;
    ensure!(fresh == result([5, 3, 1, 1, 0]), "{fresh:?}");
    for id in [&archived, &new, &flex] {
        let downloads = world.simulator.stats(id).downloads;
        ensure!(downloads == 1, "{downloads} downloads");
    }
    Ok(())
}

async fn once_by_command(world: &World, server: &Server, account: &str) -> anyhow::Result<Value> {
    let output = sweep_command(world, server, account)
        .args(["--output", "json"])
        .output()
        .await?;
    ensure!(output.status.success(), "{output:?}");
    Ok(serde_json::from_slice(&output.stdout)?)
}

pub(crate) fn sweep_command(
    world: &World,
    server: &Server,
    account: &str,
) -> tokio::process::Command {
    let mut command = command();
    command
        .args(["sweep", "--account", account])
        .env("TEMPORAL_ADDRESS", &server.address)
        .env("TEMPORAL_TASK_QUEUE", &world.config.task_queue)
        .kill_on_drop(true);
    command
}

/// More pages than a run has, each with one task that has ended without a video.
async fn goes_on_in_another_run(server: Arc<Server>) -> anyhow::Result<()> {
    const TASKS: i64 = 52;
    let (world, account) = world(&server, |account| account.endpoint.list_page_size = 1).await?;
    for _ in 0..TASKS {
        let id = world.simulator.create(Script::default());
        leave_outcome(&world, &account, &id).await?;
    }
    let swept = world
        .with_worker(&server, sweep(&world, &server, &account))
        .await?;
    ensure!(swept == result([TASKS, 0, TASKS, 0, 0]), "{swept:?}");
    let history = workflow(&server, &account)
        .fetch_history(WorkflowFetchHistoryOptions::default())
        .into_events()
        .await?;
    let first = history.first().and_then(|event| event.attributes.as_ref());
    let is_continued = matches!(
        first,
        Some(Attributes::WorkflowExecutionStartedEventAttributes(started))
            if !started.continued_execution_run_id.is_empty()
    );
    ensure!(is_continued, "one run had all pages");
    ensure!(history.len() < 60, "{} events", history.len());
    Ok(())
}

/// What a lifecycle leaves of a task that has ended without a video.
async fn leave_outcome(world: &World, account: &str, task_id: &str) -> anyhow::Result<()> {
    let account = world.config.accounts.get(account)?;
    let record = seedance::Client::new(seedance_archiver_http::client()?)
        .query(&account.endpoint, task_id)
        .await?;
    let archive = Archive::open(&world.config.archive_url)?;
    let layout = account.layout(&archive.root, &record.without_urls());
    let url = archive.url_of(&layout.outcome());
    let path = PathBuf::from(url.strip_prefix("file://").context("not a local URL")?);
    std::fs::create_dir_all(path.parent().context("no folder")?)?;
    Ok(std::fs::write(path, "{}")?)
}

/// A worker in a process of its own, with this one account.
pub(crate) fn spawn_worker(
    world: &World,
    server: &Server,
    account: &str,
    more: &str,
) -> anyhow::Result<(Child, TempDir)> {
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("accounts.toml");
    std::fs::write(
        &path,
        format!(
            "[accounts.{account}]\nbase_url = \"{}\"\napi_key = \"{}\"\n\
             pace = {{ shortest = \"200ms\" }}\n{more}\n",
            world.simulator.base_url(),
            world.simulator.api_key()
        ),
    )?;
    let variables = [
        ("SEEDANCE_ACCOUNTS_FILE", path.to_str().context("path")?),
        ("SEEDANCE_API_KEY", ""),
        ("SEEDANCE_BASE_URL", ""),
    ];
    let worker = world.spawn_worker_with(server, &variables)?;
    Ok((worker, directory))
}

async fn killed_worker(server: Arc<Server>) -> anyhow::Result<()> {
    const TASKS: i64 = 12;
    let (world, account) = world(&server, |_| {}).await?;
    let ids: Vec<_> = (0..TASKS)
        .map(|_| world.simulator.create(Script::default()))
        .collect();
    // Starts come as slowly as questions.
    let limits = "limits = { queries_per_second = 2 }";
    let (mut first, _directory) = spawn_worker(&world, &server, &account, limits)?;
    let sweep = start(&world, &server, &account).await?;
    let asked = || {
        let is_asked = |id: &&String| world.simulator.stats(id).queries > 0;
        ids.iter().filter(is_asked).count()
    };
    until("some lifecycles are started", || asked() > 2).await?;
    first.kill().await?;
    ensure!(asked() < ids.len(), "all were started before it was killed");

    let (_second, _directory) = spawn_worker(&world, &server, &account, "")?;
    let swept = sweep.result().await?;
    ensure!(swept.listed == TASKS, "{swept:?}");
    ensure!(swept.started > 0 && swept.started < TASKS, "{swept:?}");
    for id in &ids {
        let lifecycle = lifecycle(&world, &server, &account, id).await?;
        let outcome = lifecycle.result().await?.outcome;
        ensure!(outcome == "archived", "{id} is {outcome}");
    }
    Ok(())
}

async fn failing_list(server: Arc<Server>) -> anyhow::Result<()> {
    let (world, account) = world(&server, |_| {}).await?;
    world.simulator.create(Script::default());
    let lists = || world.simulator.lists();
    world
        .with_worker(&server, async {
            world.simulator.set_fault(Some(Fault::RateLimited {
                retry_after: Some(1),
            }));
            let sweep = start(&world, &server, &account).await?;
            until("it was refused", || lists() > 0).await?;
            world.simulator.set_fault(Some(Fault::Unavailable));
            until("it was refused again", || lists() > 1).await?;
            let mut words = String::new();
            let followed = sweep.follow(|doing| {
                if doing.contains("HTTP 500") {
                    world.simulator.set_fault(None);
                }
                words = doing;
            });
            let swept = followed.await?;
            ensure!(swept == result([1, 0, 0, 0, 1]), "{swept:?}");
            ensure!(words.contains("cannot list tasks"), "{words}");
            Ok(())
        })
        .await
}

async fn unknown_account(server: Arc<Server>) -> anyhow::Result<()> {
    let (world, _) = world(&server, |_| {}).await?;
    let unknown = server.unique("unknown");
    let error = world
        .with_worker(&server, sweep(&world, &server, &unknown))
        .await
        .err()
        .context("it was swept")?;
    let words = error.to_string();
    ensure!(words.contains("which this worker does not have"), "{words}");
    Ok(())
}
