//! Sweeps: they start the missing lifecycles of an account.

mod ended;
mod skipped;

use std::{path::PathBuf, sync::Arc, time::Duration};

use anyhow::{Context, ensure};
use seedance_archiver::{archive::Archive, seedance};
use seedance_archiver_simulator::{Ending, Fault, Script};
use serde_json::{Value, json};
use temporalio_client::{
    WorkflowCancelOptions, WorkflowFetchHistoryOptions, WorkflowGetResultOptions,
    errors::WorkflowGetResultError,
};
use temporalio_common::protos::temporal::api::history::v1::history_event::Attributes;

use crate::harness::{
    Fixture, HOUR, Server, register,
    sweeps::{self, fixture, spawn_worker, start_lifecycle, sweep_command},
    until,
};

async fn only_missing_lifecycles_are_started(server: Arc<Server>) -> anyhow::Result<()> {
    let (fixture, account) = fixture(&server, |_| {}).await?;
    let create = |script| fixture.simulator.create(script);
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
    let start = |id: &str| {
        let id = id.to_owned();
        let (fixture, server, account) = (&fixture, &server, &account);
        async move { start_lifecycle(fixture, server, account, &id).await }
    };
    fixture
        .with_worker(&server, async {
            start(&archived).await?.result().await?;
            start(&failed).await?.result().await?;
            start(&running).await?;

            let first = sweeps::run(&fixture, &server, &account).await?;
            ensure!(first == sweeps::counts([5, 1, 1, 1, 2]), "{first:?}");
            for id in [&new, &flex] {
                let outcome = start(id).await?.result().await?.outcome;
                ensure!(outcome == "archived", "{id} is {outcome}");
            }
            let second = sweeps::run(&fixture, &server, &account).await?;
            ensure!(second == sweeps::counts([5, 3, 1, 1, 0]), "{second:?}");
            let third = run_sweep_command(&fixture, &server, &account).await?;
            ensure!(third["archived"] == 3 && third["started"] == 0, "{third}");
            Ok(())
        })
        .await?;
    // A new worker, whose caches are empty, finds archived videos by their receipts.
    let fresh = fixture
        .with_worker(&server, sweeps::run(&fixture, &server, &account))
        .await?;
    ensure!(fresh == sweeps::counts([5, 3, 1, 1, 0]), "{fresh:?}");
    for id in [&archived, &new, &flex] {
        let downloads = fixture.simulator.stats(id).downloads;
        ensure!(downloads == 1, "{downloads} downloads");
    }
    Ok(())
}
register!(only_missing_lifecycles_are_started);

/// Runs the `sweep` command, and returns its report.
async fn run_sweep_command(
    fixture: &Fixture,
    server: &Server,
    account: &str,
) -> anyhow::Result<Value> {
    let output = sweep_command(fixture, server, account)
        .args(["--output", "json"])
        .output()
        .await?;
    ensure!(output.status.success(), "{output:?}");
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// There are more pages than one run sweeps, each with one task that ended without a video.
async fn a_long_sweep_continues_as_new(server: Arc<Server>) -> anyhow::Result<()> {
    const TASKS: i64 = 52;
    let (fixture, account) =
        fixture(&server, |account| account.endpoint.list_page_size = 1).await?;
    for _ in 0..TASKS {
        let id = fixture.simulator.create(Script {
            ending: Ending::Failed,
            ..Script::default()
        });
        let outcome = json!({"outcome": "unsuccessful", "reason": "failed"});
        write_outcome_record(&fixture, &account, &id, &outcome).await?;
    }
    let swept = fixture
        .with_worker(&server, sweeps::run(&fixture, &server, &account))
        .await?;
    ensure!(
        swept == sweeps::counts([TASKS, 0, TASKS, 0, 0]),
        "{swept:?}"
    );
    let history = sweeps::handle(&server, &account)
        .fetch_history(WorkflowFetchHistoryOptions::default())
        .into_events()
        .await?;
    let first = history.first().and_then(|event| event.attributes.as_ref());
    let is_continued = matches!(
        first,
        Some(Attributes::WorkflowExecutionStartedEventAttributes(started))
            if !started.continued_execution_run_id.is_empty()
    );
    ensure!(is_continued, "one run swept all pages");
    ensure!(history.len() < 60, "{} events", history.len());
    Ok(())
}
register!(a_long_sweep_continues_as_new);

/// One wrong outcome must not cost a video that the service lists as succeeded.
async fn a_listed_video_is_archived_although_its_outcome_is_recorded(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let (fixture, account) = fixture(&server, |_| {}).await?;
    let outcomes = [
        json!({"outcome": "unknown", "reason": "task_not_found"}),
        json!({"outcome": "lost", "reason": "url_expired"}),
        json!({"outcome": "unsuccessful", "reason": "cancelled_and_purged"}),
        json!({}),
        // A person decided, or has to decide.
        json!({"outcome": "unknown", "reason": "cancelled_by_caller"}),
        json!({"outcome": "unknown", "reason": "store_conflict"}),
    ];
    for outcome in &outcomes {
        let id = fixture.simulator.create(Script {
            queued: Some(Duration::ZERO),
            running: Some(Duration::ZERO),
            ..Script::default()
        });
        write_outcome_record(&fixture, &account, &id, outcome).await?;
    }
    let swept = fixture
        .with_worker(&server, sweeps::run(&fixture, &server, &account))
        .await?;
    ensure!(swept == sweeps::counts([6, 0, 2, 0, 4]), "{swept:?}");
    Ok(())
}
register!(a_listed_video_is_archived_although_its_outcome_is_recorded);

/// Writes the outcome record of a task that ended without a video, as a lifecycle does.
async fn write_outcome_record(
    fixture: &Fixture,
    account: &str,
    task_id: &str,
    outcome: &Value,
) -> anyhow::Result<()> {
    let path = outcome_file(fixture, account, task_id).await?;
    Ok(std::fs::write(path, outcome.to_string())?)
}

/// Returns the path of the outcome record of a task, in a directory that exists.
async fn outcome_file(fixture: &Fixture, account: &str, task_id: &str) -> anyhow::Result<PathBuf> {
    let account = fixture.config.accounts.get(account)?;
    let record = seedance::Client::new(seedance_archiver_http::client()?)
        .query(&account.endpoint, task_id)
        .await?;
    let archive = Archive::open(&fixture.config.archive_url)?;
    let layout = account.layout(&archive.root, &record.without_urls());
    let url = archive.url_of(&layout.outcome());
    let path = PathBuf::from(url.strip_prefix("file://").context("not a local URL")?);
    std::fs::create_dir_all(path.parent().context("no parent directory")?)?;
    Ok(path)
}

async fn another_worker_finishes_the_sweep_of_a_killed_worker(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    const TASKS: i64 = 12;
    let (fixture, account) = fixture(&server, |_| {}).await?;
    let ids: Vec<_> = (0..TASKS)
        .map(|_| fixture.simulator.create(Script::default()))
        .collect();
    // The query rate limit also bounds the rate of lifecycle starts.
    let limits = "limits = { queries_per_second = 0.2 }";
    let (mut first, _directory) = spawn_worker(&fixture, &server, &account, limits)?;
    let sweep = sweeps::start(&fixture, &server, &account).await?;
    let polled = || {
        let is_polled = |id: &&String| fixture.simulator.stats(id).queries > 0;
        ids.iter().filter(is_polled).count()
    };
    until("a lifecycle has started", || polled() > 0).await?;
    first.kill().await?;
    ensure!(
        polled() < ids.len(),
        "all lifecycles were started before the worker was killed"
    );

    let (_second, _directory) = spawn_worker(&fixture, &server, &account, "")?;
    let swept = sweep.result().await?;
    ensure!(swept.listed == TASKS, "{swept:?}");
    ensure!(swept.started > 0 && swept.started < TASKS, "{swept:?}");
    for id in &ids {
        let lifecycle = start_lifecycle(&fixture, &server, &account, id).await?;
        let outcome = lifecycle.result().await?.outcome;
        ensure!(outcome == "archived", "{id} is {outcome}");
    }
    Ok(())
}
register!(
    another_worker_finishes_the_sweep_of_a_killed_worker,
    takes_long
);

async fn a_failed_list_request_is_retried(server: Arc<Server>) -> anyhow::Result<()> {
    let (fixture, account) = fixture(&server, |_| {}).await?;
    fixture.simulator.create(Script::default());
    let lists = || fixture.simulator.lists();
    fixture
        .with_worker(&server, async {
            fixture.simulator.set_fault(Some(Fault::RateLimited {
                retry_after: Some(1),
            }));
            let sweep = sweeps::start(&fixture, &server, &account).await?;
            until("a list request was rejected", || lists() > 0).await?;
            fixture.simulator.set_fault(Some(Fault::Unavailable));
            until("a list request was rejected again", || lists() > 1).await?;
            let followed = sweep.follow(|message| {
                if message.contains("cannot list tasks: HTTP 500") {
                    fixture.simulator.set_fault(None);
                }
            });
            let swept = followed.await?;
            ensure!(swept == sweeps::counts([1, 0, 0, 0, 1]), "{swept:?}");
            Ok(())
        })
        .await
}
register!(a_failed_list_request_is_retried);

async fn a_cancelled_sweep_ends_while_it_waits_for_the_list(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let (fixture, account) = fixture(&server, |_| {}).await?;
    fixture.simulator.set_fault(Some(Fault::Unavailable));
    fixture
        .with_worker(&server, async {
            sweeps::start(&fixture, &server, &account).await?;
            sweeps::pending_failure(&server, &account).await?;
            let sweep = sweeps::handle(&server, &account);
            sweep.cancel(WorkflowCancelOptions::default()).await?;
            let ended = sweep.get_result(WorkflowGetResultOptions::default()).await;
            let is_cancelled = matches!(ended, Err(WorkflowGetResultError::Cancelled { .. }));
            ensure!(is_cancelled, "{ended:?}");
            Ok(())
        })
        .await
}
register!(a_cancelled_sweep_ends_while_it_waits_for_the_list);

async fn an_unknown_account_is_rejected_after_the_time_of_a_rollout(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let (fixture, _) = fixture(&server, |_| {}).await?;
    let unknown = server.unique_name("unknown");
    let error = fixture
        .with_worker(&server, async {
            let sweep = sweeps::start(&fixture, &server, &unknown).await?;
            sweeps::pending_failure(&server, &unknown).await?;
            fixture.advance_clock(HOUR / 4).await;
            Ok(sweep.result().await.err())
        })
        .await?
        .context("the account was swept")?;
    let message = error.to_string();
    ensure!(
        message.contains("which this worker does not serve"),
        "{message}"
    );
    Ok(())
}
register!(an_unknown_account_is_rejected_after_the_time_of_a_rollout);
