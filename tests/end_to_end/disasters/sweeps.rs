//! What the text promises about the order and the duration of a sweep.

use std::{sync::Arc, time::Duration};

use anyhow::ensure;
use seedance_archiver::{
    config::Account, seedance::MAX_PAGE_SIZE, temporal::lifecycles::Lifecycle,
};
use seedance_archiver_policy::shares::{self, Fleet, Role};
use seedance_archiver_proto::{names, sweep_page::MAX_PAGE_NUM};
use seedance_archiver_simulator::Script;

use super::{paused::archived, procedure::check_promise, terminal::Terminal};
use crate::harness::{
    DAY, Fixture, HOUR, QUERY_WINDOW, Server, register, restartable_server::RestartableServer,
    until, until_async,
};

const HEADING: &str = "Losing Temporal's history";
/// Number of bytes after which downloads pause.
const HOLD_AT: u64 = 2_000_000;

/// Creates a task that has succeeded, and whose download pauses.
fn create(fixture: &Fixture, age: Duration) -> String {
    fixture.simulator.create(Script {
        age,
        queued: Some(Duration::ZERO),
        running: Some(Duration::ZERO),
        bytes: Some(2 * HOLD_AT),
        hold_at: Some(HOLD_AT),
        // Each query returns a new URL, so the query window decides.
        url_lifetime: Some(HOUR),
        ..Script::default()
    })
}

/// Uses its own Temporal server, which dispatches tasks in the order of their priorities.
async fn the_most_urgent_transfer_of_sweeps_runs_first(_: Arc<Server>) -> anyhow::Result<()> {
    let promise = "Otherwise run `seedance-archiver sweep` for each account (`--account eu`). It starts a lifecycle for \
                   every task of the last 7 days that has neither a receipt nor a final `outcome.json`. It can be \
                   interrupted and repeated. Urgent transfers run first.";
    check_promise(HEADING, promise)?;
    let temporal = RestartableServer::start().await?;
    let server = Server::new(temporal.client().await?, temporal.address.clone(), None)?;
    let fixture = Fixture::new(&server).await?;
    let mut terminal = Terminal::open(&server, &fixture).await?;
    terminal.run("seedance-archiver setup").await?;
    // Transfers wait, because nobody polls for them.
    let _query_worker = terminal.start_worker_with("--queues query")?;
    let others = [(); 3].map(|()| create(&fixture, Duration::ZERO));
    sweep(&server, &terminal, &others).await?;
    let urgent = create(&fixture, QUERY_WINDOW - DAY / 2);
    sweep(&server, &terminal, std::slice::from_ref(&urgent)).await?;
    until_async("the urgent task is listed", || async {
        let list = "seedance-archiver list --before-deadline 1d";
        Ok(terminal.run_json(list).await?.to_string().contains(&urgent))
    })
    .await?;

    terminal.set("SEEDANCE_TRANSFER_SLOTS", "1");
    let _transfer_worker = terminal.start_worker_with("--queues transfer")?;
    let downloads = |id: &String| fixture.simulator.stats(id).downloads;
    until("a video is downloaded", || {
        downloads(&urgent) + others.iter().map(downloads).sum::<u64>() > 0
    })
    .await?;
    ensure!(downloads(&urgent) == 1, "another video is first");
    let all = || others.iter().chain([&urgent]);
    all().for_each(|id| fixture.simulator.release(id));
    for id in all() {
        archived(&Lifecycle::for_task(&server.client, "", id)).await?;
    }
    Ok(())
}
register!(the_most_urgent_transfer_of_sweeps_runs_first, takes_long);

/// Runs a sweep that starts the lifecycles of these tasks, and waits until their transfers are scheduled.
async fn sweep(server: &Server, terminal: &Terminal, ids: &[String]) -> anyhow::Result<()> {
    let swept = terminal.run_json("seedance-archiver sweep").await?;
    ensure!(swept["started"] == ids.len(), "{swept}");
    for id in ids {
        let lifecycle = Lifecycle::for_task(&server.client, "", id);
        until_async("the transfer is scheduled", || async {
            let snapshot = lifecycle.describe().await?;
            let pending = snapshot.and_then(|snapshot| snapshot.pending);
            Ok(pending.is_some_and(|it| it.activity == names::ARCHIVE_ACTIVITY_ID))
        })
        .await?;
    }
    Ok(())
}

async fn the_text_has_the_numbers_that_follow_from_the_limits(
    _: Arc<Server>,
) -> anyhow::Result<()> {
    let url = "https://seedance.example";
    let account = Account::new("default", url.parse()?, "key".to_owned().into()).endpoint;
    let lists = account.list_limit.of_account();
    ensure!(lists == 1.0, "{lists} list requests per second");
    let rate = |query, transfer| {
        let shares = Fleet { query, transfer }.shares(Role::Query);
        shares::rate(account.query_limit.of_account(), shares.queries)
    };
    let minutes = |rate: f64| (35_000.0 / rate / 600.0).round() * 10.0;
    let (alone, of_four) = (rate(1, 0), rate(2, 2));
    let durations = "A list request returns up to 500 tasks, and all workers together send one per second. Lifecycles start \
                     at one worker's share of `limits.queries_per_second`, because a worker sweeps a page: for 35,000 tasks, a \
                     sweep takes 30 minutes at 20 per second (one worker with both roles), and 80 minutes at 7 (two workers of \
                     each role).";
    check_promise(HEADING, durations)?;
    let list = format!("up to {MAX_PAGE_SIZE} tasks");
    let slow = format!("{} minutes at {of_four} (two", minutes(of_four));
    let fast = format!("{} minutes at {alone} per second (one", minutes(alone));
    for figures in [list, fast, slow] {
        ensure!(durations.contains(&figures), "not {figures}");
    }
    let row = "| of an account with more than 250,000 tasks per service tier in 7 days | only the newest 250,000 are listed |";
    check_promise(HEADING, row)?;
    let thousands = MAX_PAGE_NUM * i64::try_from(MAX_PAGE_SIZE)? / 1_000;
    let listed = row.matches(&format!("{thousands},000 ")).count();
    ensure!(listed == 2, "not {thousands},000 tasks");
    Ok(())
}
register!(the_text_has_the_numbers_that_follow_from_the_limits);
