//! Losing Temporal's history: the archive and the list of tasks are enough to go on.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, ensure};
use seedance_archiver::{config::Account, seedance::RateLimit, temporal::lifecycles::Lifecycle};
use seedance_archiver_simulator::{Ending, Script, Simulator};
use serde_json::{Value, json};

use super::{
    paused::archived,
    procedure::{Procedure, check_promise},
    terminal::Terminal,
};
use crate::harness::{
    DAY, Fixture, HOUR, QUERY_WINDOW, Server,
    caller::{call_json, with_caller},
    lifecycle::{until_running, until_waiting},
    register,
    restartable_server::RestartableServer,
    simulator::TestSimulator,
    sweeps, until_async,
};

/// So many that sweeps are not delayed.
const LISTS_PER_SECOND: f64 = 1_000.0;

const PATH: &str = "contents/generations/tasks/{task_id}";
/// The simulator has no path below that of a task, so the last segment is one that a URL does not keep.
const PATH_WITHOUT_LIST: &str = "contents/generations/tasks/{task_id}/.";

/// The tasks of the table below the procedure.
struct Tasks {
    archived: String,
    failed: String,
    running: String,
    succeeded: String,
    urgent: String,
}

impl Tasks {
    fn create(simulator: &Simulator) -> Self {
        let create = |script| simulator.create(script);
        create(Script {
            age: QUERY_WINDOW + DAY,
            ..Script::default()
        });
        Self {
            archived: create(Script::default()),
            failed: create(Script {
                ending: Ending::Failed,
                ..Script::default()
            }),
            running: create(running(Duration::ZERO)),
            succeeded: create(Script::default()),
            urgent: create(running(QUERY_WINDOW - DAY / 2)),
        }
    }
}

/// Returns the script of a task that was created `age` ago, and runs for another hour.
fn running(age: Duration) -> Script {
    Script {
        age,
        queued: Some(Duration::ZERO),
        running: Some(age + HOUR),
        ..Script::default()
    }
}

/// Uses its own Temporal server, which loses its database.
async fn a_sweep_restarts_what_the_archive_does_not_have(_: Arc<Server>) -> anyhow::Result<()> {
    let mut text = Procedure::below("Losing Temporal's history")?;
    let mut temporal = RestartableServer::start().await?;
    let server = Server::new(temporal.client().await?, temporal.address.clone(), None)?;
    let mut fixture = Fixture::with(
        &server,
        |simulator| simulator.list_rate(LISTS_PER_SECOND),
        |account| account.endpoint.list_limit = RateLimit::per_second(LISTS_PER_SECOND),
    )
    .await?;
    let eu = TestSimulator::start(&fixture.clock, |simulator| simulator).await?;
    let gateway = TestSimulator::start(&fixture.clock, |simulator| simulator).await?;
    add_account(&mut fixture, "eu", &eu, PATH)?;
    add_account(&mut fixture, "gateway", &gateway, PATH_WITHOUT_LIST)?;
    let task_of_eu = eu.create(Script::default());
    let of_gateway = [(); 2].map(|()| gateway.create(Script::default()));
    let tasks = Tasks::create(&fixture.simulator);
    let terminal = Terminal::open(&server, &fixture).await?;
    terminal.run("seedance-archiver setup").await?;
    fixture
        .with_worker(&server, async {
            archived(&fixture.start_lifecycle(&server, &tasks.archived).await?).await?;
            let failed = fixture.start_lifecycle(&server, &tasks.failed).await?;
            ensure!(failed.result().await?.outcome == "unsuccessful");
            until_running(&fixture.start_lifecycle(&server, &tasks.running).await?).await
        })
        .await?;
    temporal.kill().await?;
    temporal.start_empty()?;

    text.step(
        "Start a Temporal server and run `seedance-archiver setup`, which creates the namespace and search attributes.",
    )?;
    let server = Server::new(temporal.client().await?, temporal.address.clone(), None)?;
    let set_up = terminal.run(&text.command()?).await?;
    ensure!(set_up.contains("search attributes: registered"), "{set_up}");

    text.step("Start the workers.")?;
    let worked = with_caller(&server, &fixture, async {
        text.step("Otherwise run `seedance-archiver sweep` for each account (`--account eu`)")?;
        let sweep = text.command()?;
        let swept = terminal.run_json(&sweep).await?;
        text.says("| task | after the sweep |")?;
        text.says("| archived, or ended with a [final](accounts.md#archive-every-video) `outcome.json` | skipped |")?;
        text.says("| created more than 7 days ago | not listed, and its URL was only in the history: lost |")?;
        let expected = counts([5, 1, 1, 0, 3]);
        ensure!(swept == expected, "{swept}");
        let swept = terminal.run_json(&format!("{sweep} --account eu")).await?;
        ensure!(swept == counts([1, 0, 0, 0, 1]), "{swept}");
        text.says("It can be interrupted and repeated.")?;
        let again = terminal.run_json(&sweep).await?;
        ensure!(again["listed"] == 5 && again["started"] == 0, "{again}");
        let lifecycle = |account, id| Lifecycle::for_task(&server.client, account, id);
        text.says("| succeeded, not archived, URL works or is renewed | archived |")?;
        archived(&lifecycle("", &tasks.succeeded)).await?;
        archived(&lifecycle("eu", &task_of_eu)).await?;
        text.says("| running, queued | polled again |")?;
        until_running(&lifecycle("", &tasks.urgent)).await?;

        text.step(
            "Check `seedance-archiver list --before-deadline 1d`, and `seedance-archiver rescue --dry-run` for videos that are \
             not archived yet.",
        )?;
        let list = text.command()?;
        until_async("the urgent task is listed", || async {
            let listed = terminal.run_json(&list).await?.to_string();
            ensure!(!listed.contains(&tasks.running), "{listed}");
            Ok(listed.contains(&tasks.urgent))
        })
        .await?;
        let rescue = terminal.run_json(&text.command()?).await?;
        let states = states(&rescue)?;
        let is_archived = |id: &String| states.contains(&(id.clone(), "archived".to_owned()));
        ensure!(
            [&tasks.archived, &tasks.succeeded]
                .into_iter()
                .all(is_archived),
            "{rescue:#}"
        );

        text.step(
            "| of an account without a list, for example with `task_path = \"tasks/{task_id}/record\"` | its sweep fails: pass \
             the ids with `seedance-archiver archive --account gateway - <ids.txt` |",
        )?;
        let failed = terminal
            .run_failing(&format!("{sweep} --account gateway 2>&1"))
            .await?;
        ensure!(failed.contains("name the tasks by id"), "{failed}");
        terminal.write_file("ids.txt", &format!("{}\n", of_gateway.join("\n")))?;
        let ids = terminal.run_json(&text.command()?).await?;
        for video in 0..of_gateway.len() {
            ensure!(ids["videos"][video]["outcome"] == "archived", "{ids:#}");
        }

        text.says("Callers' workflows are gone too.")?;
        text.says(
            "If they are started again within 7 days, `AwaitVideoTask` joins the lifecycle that a sweep started, or starts one \
             that finds the receipt.",
        )?;
        let awaited = async |id: &String| {
            let request = json!({"task_id": id});
            let result = call_json(&server, &fixture, "AwaitVideoTask", &request).await?;
            ensure!(result["outcome"] == "archived", "{result}");
            Ok(())
        };
        awaited(&tasks.archived).await?;
        fixture.advance_clock(HOUR).await;
        awaited(&tasks.running).await?;
        archived(&lifecycle("", &tasks.urgent)).await?;
        Ok(())
    });
    fixture.with_worker(&server, worked).await?;
    for id in &of_gateway {
        let downloads = gateway.stats(id).downloads;
        ensure!(downloads == 1, "{id}: {downloads} downloads");
    }
    ensure!(gateway.lists() == 0, "the gateway has no list");
    for id in [&tasks.archived, &tasks.succeeded, &tasks.running] {
        let downloads = fixture.simulator.stats(id).downloads;
        ensure!(downloads == 1, "{id}: {downloads} downloads");
        ensure!(fixture.receipt_path(id).is_some(), "{id} has no receipt");
    }
    text.end()
}
register!(a_sweep_restarts_what_the_archive_does_not_have, takes_long);

/// Adds an account of another simulator.
fn add_account(
    fixture: &mut Fixture,
    name: &str,
    simulator: &Simulator,
    task_path: &str,
) -> anyhow::Result<()> {
    let accounts = &fixture.config.accounts;
    let mut added = Account::new(
        name,
        simulator.base_url().parse()?,
        simulator.api_key().to_owned().into(),
    );
    added.endpoint.task_path = task_path.parse().map_err(anyhow::Error::msg)?;
    added.schedule = accounts.get("")?.schedule.clone();
    let others = accounts.iter().map(|account| Account::clone(account));
    fixture.config.accounts = others.chain([added]).collect();
    Ok(())
}

/// Returns the document of a sweep with these counts: listed, archived, ended, running, started.
fn counts([listed, archived, ended, running, started]: [u64; 5]) -> Value {
    json!({
        "listed": listed,
        "archived": archived,
        "ended": ended,
        "running": running,
        "started": started,
        "skipped": 0,
        "incomplete_lists": 0,
    })
}

/// Returns the task id and the state of each video that `rescue` found.
fn states(report: &Value) -> anyhow::Result<Vec<(String, String)>> {
    let videos = report["found"]["videos"].as_array().context("no videos")?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let states = videos.iter();
    Ok(states
        .map(|video| (text(&video["task_id"]), text(&video["state"])))
        .collect())
}

async fn a_task_without_a_url_is_polled_until_its_query_window_closes(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    check_promise(
        "Losing Temporal's history",
        "| succeeded, URL removed by the service | polled until the query window closes, then `lost` |",
    )?;
    let (fixture, account) = sweeps::fixture(&server, |_| {}).await?;
    let id = fixture.simulator.create(Script {
        no_url_for: Some(2 * QUERY_WINDOW),
        ..Script::default()
    });
    fixture
        .with_worker(&server, async {
            let swept = sweeps::run(&fixture, &server, &account).await?;
            ensure!(swept.started == 1, "{swept:?}");
            let lifecycle = Lifecycle::for_task(&server.client, &account, &id);
            until_waiting(&lifecycle, "the record has no URL").await?;
            fixture.close_query_window().await;
            let result = lifecycle.result().await?;
            ensure!(result.outcome == "lost", "{result:?}");
            Ok(())
        })
        .await
}
register!(a_task_without_a_url_is_polled_until_its_query_window_closes);

async fn workers_with_auto_archive_need_no_command(_: Arc<Server>) -> anyhow::Result<()> {
    check_promise(
        "Losing Temporal's history",
        "Start the workers. With `auto_archive` they create the schedules, and the first sweep starts immediately.",
    )?;
    let mut temporal = RestartableServer::start().await?;
    let server = Server::new(temporal.client().await?, temporal.address.clone(), None)?;
    let fixture = Fixture::new(&server).await?;
    let mut terminal = Terminal::open(&server, &fixture).await?;
    terminal.set("SEEDANCE_AUTO_ARCHIVE", "true");
    let worker = terminal.start_worker()?;
    let before = fixture.simulator.create(Script::default());
    archived(&fixture.start_lifecycle(&server, &before).await?).await?;
    drop(worker);
    temporal.kill().await?;
    temporal.start_empty()?;
    let during = fixture.simulator.create(Script::default());

    temporal.client().await?;
    terminal.run("seedance-archiver setup").await?;
    let _worker = terminal.start_worker()?;
    until_async("the video is archived", || async {
        Ok(fixture.receipt_path(&during).is_some())
    })
    .await?;
    let downloads = fixture.simulator.stats(&before).downloads;
    ensure!(downloads == 1, "{downloads} downloads");
    Ok(())
}
register!(workers_with_auto_archive_need_no_command, takes_long);

/// The backup is from before the videos were archived, and the API has forgotten one of the tasks meanwhile.
async fn a_lifecycle_of_an_old_backup_finds_the_receipt(_: Arc<Server>) -> anyhow::Result<()> {
    let promise = "A backup of the database saves this work but is not required. Restoring an old backup is safe: repeated \
                   attempts find the receipt and download nothing. A restored lifecycle looks for the receipt before it ends \
                   and returns `archived`.";
    check_promise("Losing Temporal's history", promise)?;
    let mut temporal = RestartableServer::start().await?;
    let server = Server::new(temporal.client().await?, temporal.address.clone(), None)?;
    let fixture = Fixture::new(&server).await?;
    let terminal = Terminal::open(&server, &fixture).await?;
    terminal.run("seedance-archiver setup").await?;
    let ids = [(); 2].map(|()| fixture.simulator.create(running(Duration::ZERO)));
    fixture
        .with_worker(&server, async {
            for id in &ids {
                until_running(&fixture.start_lifecycle(&server, id).await?).await?;
            }
            Ok(())
        })
        .await?;
    temporal.kill().await?;
    let backup = temporal.back_up()?;
    temporal.start_again()?;
    let lifecycles = async |temporal: &RestartableServer| {
        let server = Server::new(temporal.client().await?, temporal.address.clone(), None)?;
        let lifecycles: Vec<_> = ids
            .iter()
            .map(|id| Lifecycle::for_task(&server.client, "", id))
            .collect();
        anyhow::Ok((server, lifecycles))
    };
    let (server, first) = lifecycles(&temporal).await?;
    fixture.advance_clock(HOUR).await;
    fixture
        .with_worker(&server, async {
            for lifecycle in &first {
                archived(lifecycle).await?;
            }
            Ok(())
        })
        .await?;

    temporal.kill().await?;
    temporal.restore(backup)?;
    let (server, restored) = lifecycles(&temporal).await?;
    fixture.simulator.set_hidden(&ids[1], true);
    fixture
        .with_worker(&server, async {
            archived(&restored[0]).await?;
            fixture.polled(&ids[1], 1).await?;
            fixture.close_query_window().await;
            archived(&restored[1]).await?;
            Ok(())
        })
        .await?;
    for id in &ids {
        let downloads = fixture.simulator.stats(id).downloads;
        ensure!(downloads == 1, "{downloads} downloads");
    }
    Ok(())
}
register!(a_lifecycle_of_an_old_backup_finds_the_receipt, takes_long);
