//! A week's outage, by a clock that is a week behind until the outage has passed: after it, commands read the same time.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use anyhow::{Context, ensure};
use seedance_archiver::temporal::lifecycles::Lifecycle;
use seedance_archiver_simulator::Script;
use serde_json::Value;

use super::{
    paused::archived,
    procedure::{Procedure, check_promise},
    terminal::Terminal,
};
use crate::harness::{
    DAY, Fixture, HOUR, Server, URL_LIFETIME,
    lifecycle::{until_running, until_waiting},
    register,
    restartable_server::RestartableServer,
    until_async,
};

/// Shorter than the query window, so that tasks from before the outage can be queried.
const OUTAGE: Duration = Duration::from_secs(6 * 24 * 60 * 60);
/// Longer than the query window.
const LONG_OUTAGE: Duration = Duration::from_secs(8 * 24 * 60 * 60);

/// Returns the script of a task that runs for some time, and whose URLs work for `url_lifetime`.
pub(super) fn running(time: Duration, url_lifetime: Duration) -> Script {
    Script {
        queued: Some(Duration::ZERO),
        running: Some(time),
        url_lifetime: Some(url_lifetime),
        ..Script::default()
    }
}

/// Returns the same, for a service that never signs a URL again.
pub(super) fn signed_once(time: Duration, url_lifetime: Duration) -> Script {
    Script {
        signs_once: true,
        ..running(time, url_lifetime)
    }
}

/// Temporal and all workers are gone for six days. Uses its own Temporal server.
async fn after_a_weeks_outage_what_seedance_still_serves_is_archived(
    _: Arc<Server>,
) -> anyhow::Result<()> {
    let row = "| 1 to 7 days | videos that ended more than 24 h ago, unless the service signs a fresh URL, which is not \
               documented | nothing |";
    check_promise("A week's outage", row)?;
    let mut text = Procedure::below("A week's outage")?;
    text.says("What an outage of Temporal or of all workers loses:")?;
    text.says("| duration | with URLs of 24 h | with URLs of 14 days |")?;
    let mut temporal = RestartableServer::start().await?;
    let server = Server::new(temporal.client().await?, temporal.address.clone(), None)?;
    let fixture = Fixture::behind(&server, OUTAGE).await?;
    let simulator = &fixture.simulator;
    let terminal = Terminal::open(&server, &fixture).await?;
    terminal.run("seedance-archiver setup").await?;
    let done = simulator.create(Script::default());
    let renewed = simulator.create(running(HOUR, DAY));
    let long_lived = simulator.create(signed_once(HOUR, URL_LIFETIME));
    let dead = simulator.create(signed_once(HOUR, DAY));
    let last_day = simulator.create(signed_once(OUTAGE - HOUR, DAY));
    let open = [&renewed, &long_lived, &dead, &last_day];
    fixture
        .with_worker(&server, async {
            archived(&fixture.start_lifecycle(&server, &done).await?).await?;
            for id in open {
                until_running(&fixture.start_lifecycle(&server, id).await?).await?;
            }
            Ok(())
        })
        .await?;
    temporal.kill().await?;
    // Created during the outage, without a lifecycle.
    fixture.advance_clock(OUTAGE - DAY).await;
    let created = simulator.create(running(HOUR, DAY));
    let unfinished = simulator.create(running(DAY + HOUR, DAY));
    fixture.advance_clock(DAY).await;

    text.step(
        "From any machine that reaches Seedance and the bucket, without Temporal: `seedance-archiver rescue --dry-run` lists \
         what can be saved by the time left, and `SEEDANCE_ARCHIVE_URL=s3://bucket/prefix seedance-archiver rescue` saves it.",
    )?;
    let listed = terminal.run_json(&text.command()?).await?;
    ensure!(
        in_state(&listed, "archived")? == [done.as_str()],
        "{listed:#}"
    );
    ensure!(in_state(&listed, "dead")? == [dead.as_str()], "{listed:#}");
    let missing = in_state(&listed, "missing")?;
    ensure!(
        missing.len() == 4 && missing[0] == last_day,
        "the most urgent one is not first: {listed:#}"
    );
    ensure!(listed["found"]["unfinished"][0] == unfinished, "{listed:#}");
    let to_this_archive = text
        .command()?
        .replace("s3://bucket/prefix", fixture.config.archive_url.as_str());
    let rescued = terminal.run_json(&to_this_archive).await?;
    let outcomes = rescued["videos"].as_array().context("no videos")?;
    ensure!(outcomes.len() == 4, "{rescued:#}");
    ensure!(
        outcomes.iter().all(|video| video["outcome"] == "archived"),
        "{rescued:#}"
    );

    text.step("Start Temporal and the workers.")?;
    temporal.start_again()?;
    let server = Server::new(temporal.client().await?, temporal.address.clone(), None)?;
    let lifecycle = |id| Lifecycle::for_task(&server.client, "", id);
    fixture
        .with_worker(&server, async {
            text.says("Open lifecycles resume, and all overdue attempts start together.")?;
            for id in [&renewed, &long_lived, &last_day] {
                archived(&lifecycle(id)).await?;
            }

            text.step(
                "Run `seedance-archiver sweep` for tasks that were created during the outage.",
            )?;
            text.says(
                "You can run it during the outage: it writes the same receipts, and sweeps skip videos that it archived.",
            )?;
            let swept = terminal.run_json(&text.command()?).await?;
            ensure_swept(&swept, [7, 5, 1, 1])?;
            fixture.advance_clock(2 * HOUR).await;
            archived(&lifecycle(&unfinished)).await?;
            fixture.close_query_window().await;
            let result = lifecycle(&dead).result().await?;
            ensure!(
                result.outcome == "lost" && result.reason == "url_expired",
                "{result:?}"
            );

            text.step(
                "Check `seedance-archiver list --outcome lost` and [VideoLost](failures/VideoLost.md).",
            )?;
            until_lost(
                &terminal,
                &text.command()?,
                &BTreeSet::from([dead.as_str()]),
            )
            .await
        })
        .await?;
    for id in [
        &done,
        &renewed,
        &long_lived,
        &last_day,
        &created,
        &unfinished,
    ] {
        ensure!(fixture.receipt_path(id).is_some(), "{id} has no receipt");
        let downloads = simulator.stats(id).downloads;
        ensure!(downloads == 1, "{id}: {downloads} downloads");
    }
    let verified = terminal.run("seedance-archiver verify --deep").await?;
    ensure!(
        verified.starts_with("6 receipts with 12 objects: 6 verified"),
        "{verified}"
    );
    text.end()
}
register!(
    after_a_weeks_outage_what_seedance_still_serves_is_archived,
    takes_long
);

/// Returns the ids of the videos that `rescue` found in a state, in order.
fn in_state<'a>(report: &'a Value, state: &str) -> anyhow::Result<Vec<&'a str>> {
    let videos = report["found"]["videos"].as_array().context("no videos")?;
    let in_state = videos.iter().filter(|video| video["state"] == state);
    Ok(in_state
        .filter_map(|video| video["task_id"].as_str())
        .collect())
}

async fn an_outage_of_a_day_loses_nothing(server: Arc<Server>) -> anyhow::Result<()> {
    check_promise("A week's outage", "| up to 24 h | nothing | nothing |")?;
    let outcomes = outcomes_after(
        &server,
        DAY - HOUR,
        [
            signed_once(Duration::ZERO, DAY),
            signed_once(HOUR, DAY),
            running(DAY, DAY),
        ],
    );
    let outcomes = outcomes.await?;
    ensure!(outcomes == ["archived"; 3], "{outcomes:?}");
    Ok(())
}
register!(an_outage_of_a_day_loses_nothing);

/// The same for eight days.
async fn after_a_longer_outage_what_is_listed_or_has_a_url_is_archived(
    _: Arc<Server>,
) -> anyhow::Result<()> {
    let row = "| more than 7 days | also tasks created more than 7 days ago | tasks created more than 7 days ago, unless \
               their lifecycle already had the URL |";
    check_promise("A week's outage", row)?;
    let mut text = Procedure::below("A week's outage")?;
    let mut temporal = RestartableServer::start().await?;
    let server = Server::new(temporal.client().await?, temporal.address.clone(), None)?;
    let fixture = Fixture::behind(&server, LONG_OUTAGE).await?;
    let simulator = &fixture.simulator;
    let terminal = Terminal::open(&server, &fixture).await?;
    terminal.run("seedance-archiver setup").await?;
    let with_url = simulator.create(signed_once(Duration::ZERO, URL_LIFETIME));
    let with_dead_url = simulator.create(signed_once(Duration::ZERO, DAY));
    let without_url = simulator.create(signed_once(HOUR, URL_LIFETIME));
    let blocked = fixture.with_worker(&server, async {
        let blocked = fixture.block_archive()?;
        for id in [&with_url, &with_dead_url] {
            until_waiting(&fixture.start_lifecycle(&server, id).await?, "store").await?;
        }
        until_running(&fixture.start_lifecycle(&server, &without_url).await?).await?;
        Ok(blocked)
    });
    blocked.await?.end()?;
    temporal.kill().await?;
    fixture.advance_clock(LONG_OUTAGE - DAY).await;
    let created = simulator.create(running(HOUR, DAY));
    let unfinished = simulator.create(running(DAY + HOUR, DAY));
    fixture.advance_clock(DAY).await;

    text.step("From any machine that reaches Seedance and the bucket, without Temporal")?;
    let listed = terminal.run_json(&text.command()?).await?;
    let videos = listed["found"]["videos"].as_array().context("no videos")?;
    ensure!(
        videos.len() == 1 && in_state(&listed, "missing")? == [created.as_str()],
        "{listed:#}"
    );
    ensure!(listed["found"]["unfinished"][0] == unfinished, "{listed:#}");
    let to_this_archive = text
        .command()?
        .replace("s3://bucket/prefix", fixture.config.archive_url.as_str());
    let rescued = terminal.run_json(&to_this_archive).await?;
    ensure!(rescued["videos"][0]["outcome"] == "archived", "{rescued:#}");

    text.step("Start Temporal and the workers")?;
    temporal.start_again()?;
    let server = Server::new(temporal.client().await?, temporal.address.clone(), None)?;
    let lifecycle = |id| Lifecycle::for_task(&server.client, "", id);
    fixture
        .with_worker(&server, async {
            archived(&lifecycle(&with_url)).await?;
            for id in [&with_dead_url, &without_url] {
                let result = lifecycle(id).result().await?;
                ensure!(result.outcome == "lost", "{result:?}");
            }

            text.step(
                "Run `seedance-archiver sweep` for tasks that were created during the outage",
            )?;
            let swept = terminal.run_json(&text.command()?).await?;
            ensure_swept(&swept, [2, 1, 0, 1])?;
            fixture.advance_clock(2 * HOUR).await;
            archived(&lifecycle(&unfinished)).await?;

            text.step("Check `seedance-archiver list --outcome lost` and [VideoLost]")?;
            let lost = BTreeSet::from([with_dead_url.as_str(), without_url.as_str()]);
            until_lost(&terminal, &text.command()?, &lost).await
        })
        .await?;
    for id in [&with_url, &created, &unfinished] {
        ensure!(fixture.receipt_path(id).is_some(), "{id} has no receipt");
    }
    text.end()
}
register!(
    after_a_longer_outage_what_is_listed_or_has_a_url_is_archived,
    takes_long
);

/// Checks the counts of a sweep: listed, archived, running, started.
fn ensure_swept(swept: &Value, expected: [u64; 4]) -> anyhow::Result<()> {
    let counts = ["listed", "archived", "running", "started"];
    for (count, expected) in counts.into_iter().zip(expected) {
        ensure!(
            swept[count] == expected,
            "{count} is not {expected}: {swept}"
        );
    }
    Ok(())
}

/// Waits until a command lists exactly these lost videos.
async fn until_lost(
    terminal: &Terminal,
    command: &str,
    expected: &BTreeSet<&str>,
) -> anyhow::Result<()> {
    until_async("the lost videos are listed", || async {
        let lost = terminal.run_json(command).await?;
        let lost = lost["lifecycles"].as_array().context("no lifecycles")?;
        let ids = lost.iter().filter_map(|it| it["task_id"].as_str());
        Ok(ids.collect::<BTreeSet<_>>() == *expected)
    })
    .await
}

/// Returns the outcomes of tasks whose lifecycles started before an outage of all workers. A task that ended before the
/// outage has a lifecycle with a URL: the store did not take the video.
async fn outcomes_after(
    server: &Server,
    outage: Duration,
    scripts: [Script; 3],
) -> anyhow::Result<[String; 3]> {
    let fixture = Fixture::new(server).await?;
    let tasks = scripts.map(|script| {
        let has_ended = script.running == Some(Duration::ZERO);
        (fixture.simulator.create(script), has_ended)
    });
    fixture
        .with_worker(server, async {
            let blocked = fixture.block_archive()?;
            for (id, has_ended) in &tasks {
                let lifecycle = fixture.start_lifecycle(server, id).await?;
                match has_ended {
                    true => until_waiting(&lifecycle, "store").await?,
                    false => until_running(&lifecycle).await?,
                }
            }
            Ok(blocked)
        })
        .await?
        .end()?;
    fixture.advance_clock(outage).await;
    fixture
        .with_worker(server, async {
            let mut outcomes = [const { String::new() }; 3];
            for ((id, _), outcome) in tasks.iter().zip(&mut outcomes) {
                if fixture.simulator.status(id) == Some("running") {
                    fixture.advance_clock(HOUR).await;
                }
                let lifecycle = Lifecycle::for_task(&server.client, "", id);
                *outcome = lifecycle.result().await?.outcome;
            }
            Ok(outcomes)
        })
        .await
}
