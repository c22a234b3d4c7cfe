//! How each lifecycle ends.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use jiff::Timestamp;
use seedance_archiver_proto::v1::OutcomeRecord;
use seedance_archiver_simulator::{Ending, Script};
use serde_json::Value;

use crate::{
    Suite,
    world::{Server, World, until},
};

pub(crate) fn tests(suite: Suite) -> Suite {
    suite
        .test("endings::succeeded_is_archived", succeeded_is_archived)
        .test(
            "endings::failed_is_unsuccessful_and_says_why",
            failed_is_unsuccessful,
        )
        .test(
            "endings::cancelled_is_unsuccessful",
            cancelled_is_unsuccessful,
        )
        .test("endings::expired_is_unsuccessful", expired_is_unsuccessful)
        .test(
            "endings::the_record_is_kept_as_received",
            record_is_kept_as_received,
        )
        .test(
            "endings::a_task_that_does_not_exist_is_unknown",
            not_existing_is_unknown,
        )
        .test(
            "endings::a_window_that_closes_on_a_running_task_is_lost",
            |server| closed_window_is_lost(server, Duration::ZERO, "running"),
        )
        .test(
            "endings::a_window_that_closes_on_a_queued_task_is_lost",
            |server| closed_window_is_lost(server, Duration::from_secs(3600), "queued"),
        )
        .test(
            "endings::a_404_is_not_believed_of_a_task_that_was_seen",
            seen_and_then_not_found,
        )
        .test(
            "endings::another_video_in_its_place_is_a_conflict",
            conflict,
        )
}

async fn succeeded_is_archived(server: Arc<Server>) -> anyhow::Result<()> {
    let world = World::new(&server).await?;
    let id = world.simulator.create(Script::default());
    let result = world.run(&server, &id).await?;
    ensure!(
        result.outcome == "archived" && result.reason.is_empty(),
        "{result:?}"
    );
    let task = result.task.unwrap_or_default();
    ensure!(task.id == id && task.status == "succeeded", "{task:?}");
    let manifest = result.manifest.unwrap_or_default();
    ensure!(
        manifest.task_id == id && manifest.objects.len() == 2,
        "{manifest:?}"
    );
    Ok(())
}

async fn ends_unsuccessful(
    server: &Server,
    ending: Ending,
    word: &str,
    reason: &str,
) -> anyhow::Result<()> {
    let world = World::new(server).await?;
    let id = world.simulator.create(Script {
        ending,
        ..Script::default()
    });
    let result = world.run(server, &id).await?;
    ensure!(result.outcome == "unsuccessful", "{result:?}");
    ensure!(
        result.reason == reason && !result.message.is_empty(),
        "{result:?}"
    );
    let task = result.task.as_ref();
    ensure!(
        task.is_some_and(|task| task.status == word),
        "the task is not {word}"
    );
    ensure!(result.manifest.is_none(), "there is a receipt");
    world.holds_outcome(&result)
}

async fn failed_is_unsuccessful(server: Arc<Server>) -> anyhow::Result<()> {
    let reason = "OutputVideoSensitiveContentDetected";
    ends_unsuccessful(&server, Ending::Failed, "failed", reason).await
}

async fn cancelled_is_unsuccessful(server: Arc<Server>) -> anyhow::Result<()> {
    ends_unsuccessful(&server, Ending::Cancelled, "cancelled", "cancelled").await
}

async fn expired_is_unsuccessful(server: Arc<Server>) -> anyhow::Result<()> {
    ends_unsuccessful(&server, Ending::Expired, "expired", "expired").await
}

/// A field that the contract does not know is kept, without what could sign a URL in it.
async fn record_is_kept_as_received(server: Arc<Server>) -> anyhow::Result<()> {
    let world = World::new(&server).await?;
    let id = world.simulator.create(Script {
        ending: Ending::Failed,
        extra: true,
        ..Script::default()
    });
    let result = world.run(&server, &id).await?;
    world.holds_outcome(&result)?;
    let files = world.archived_files()?;
    let file = files.iter().find(|file| file.ends_with("/task.json"));
    let file = world.directory.path().join(file.context("no task.json")?);
    let record: Value = serde_json::from_slice(&std::fs::read(file)?)?;
    let extra = &record["content_filter"];
    ensure!(extra["level"] == "standard", "{record:#}");
    let docs = extra["docs"].as_str().unwrap_or_default();
    ensure!(
        docs.starts_with("https://docs.example/filter") && !docs.contains("token"),
        "{docs}"
    );
    Ok(())
}

async fn not_existing_is_unknown(server: Arc<Server>) -> anyhow::Result<()> {
    let grace = Duration::from_secs(3);
    let world = World::with(
        &server,
        |simulator| simulator,
        |account| account.schedule.not_found_grace = grace,
    )
    .await?;
    let now = jiff::Timestamp::now();
    let id = format!("cgt-{}-zzzzz", now.strftime("%Y%m%d%H%M%S"));
    let result = world.run(&server, &id).await?;
    ensure!(result.outcome == "unknown", "{result:?}");
    ensure!(
        result.reason == "task_not_found" && result.message.contains("another account or region"),
        "{result:?}"
    );
    ensure!(
        result.task.is_none() && result.manifest.is_none(),
        "{result:?}"
    );
    let files = world.archived_files()?;
    ensure!(files.is_empty(), "nothing is known of it, but: {files:?}");
    let queries = world.simulator.stats(&id).queries;
    ensure!(
        queries > 2,
        "gave up after {queries} questions, within the grace"
    );
    Ok(())
}

async fn closed_window_is_lost(
    server: Arc<Server>,
    queued: Duration,
    status: &str,
) -> anyhow::Result<()> {
    let world = World::with(
        &server,
        |simulator| simulator.queued(queued).running(Duration::from_secs(3600)),
        |account| {
            account.windows.query_window = Duration::from_secs(20);
            account.windows.margin = Duration::from_secs(2);
        },
    )
    .await?;
    let id = world.simulator.create(Script::default());
    let result = world.run(&server, &id).await?;
    ensure!(result.outcome == "lost", "{result:?}");
    ensure!(
        result.reason == "query_window_closed" && result.message.ends_with(status),
        "{result:?}"
    );
    ensure!(
        result.task.is_some_and(|task| task.status == status),
        "the task is forgotten"
    );
    Ok(())
}

/// The task is queued, as the lifecycle assumes: all that is known of it is what its one question
/// remembers from attempt to attempt.
async fn seen_and_then_not_found(server: Arc<Server>) -> anyhow::Result<()> {
    let grace = Duration::from_millis(500);
    let world = World::with(
        &server,
        |simulator| simulator,
        |account| account.schedule.not_found_grace = grace,
    )
    .await?;
    let id = world.simulator.create(Script {
        queued: Some(Duration::from_secs(6)),
        ..Script::default()
    });
    let queries = || world.simulator.stats(&id).queries;
    let result = world
        .with_worker(&server, async {
            let lifecycle = world.start(&server, &id).await?;
            until("it was seen", || queries() >= 2).await?;
            world.simulator.set_hidden(&id, true);
            let (since, before) = (Instant::now(), queries());
            until("the grace is over", || {
                since.elapsed() > grace * 2 && queries() > before + 2
            })
            .await?;
            world.simulator.set_hidden(&id, false);
            Ok(lifecycle.result().await?)
        })
        .await?;
    ensure!(result.outcome == "archived", "{result:?}");
    Ok(())
}

/// Neither of the two is lost, and a sweep does not try again.
async fn conflict(server: Arc<Server>) -> anyhow::Result<()> {
    let world = World::new(&server).await?;
    let id = world.simulator.create(Script::default());
    let folder = format!("default/{}/{id}", Timestamp::now().strftime("%Y/%m/%d"));
    let folder = world.directory.path().join(folder);
    std::fs::create_dir_all(&folder)?;
    std::fs::write(folder.join("video.mp4"), "another video")?;

    let ended = world.run(&server, &id).await;
    ensure!(ended.is_err(), "it did not fail: {ended:?}");
    let there = std::fs::read_to_string(folder.join("video.mp4"))?;
    ensure!(there == "another video", "it was replaced");
    let outcome: OutcomeRecord =
        serde_json::from_slice(&std::fs::read(folder.join("outcome.json"))?)?;
    let told = (outcome.outcome.as_str(), outcome.reason.as_str());
    ensure!(told == ("unknown", "store_conflict"), "{outcome:?}");
    Ok(())
}
