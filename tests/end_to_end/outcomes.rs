//! The outcome for each way in which a task can end.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, ensure};
use jiff::Timestamp;
use seedance_archiver_proto::{names, v1::OutcomeRecord};
use seedance_archiver_simulator::{Ending, Script};
use serde_json::{Value, json};

use crate::harness::{
    DAY, Fixture, Server, failures::fail_activity, hidden_task::check_that_a_404_is_not_final,
    register, task_prefix, until,
};

async fn a_succeeded_task_is_archived(server: Arc<Server>) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let id = fixture.simulator.create(Script::default());
    let result = fixture.run_lifecycle(&server, &id).await?;
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
register!(a_succeeded_task_is_archived);

async fn check_that_it_is_unsuccessful(
    server: &Server,
    ending: Ending,
    status: &str,
    reason: &str,
) -> anyhow::Result<()> {
    let fixture = Fixture::new(server).await?;
    let id = fixture.simulator.create(Script {
        ending,
        ..Script::default()
    });
    let result = fixture.run_lifecycle(server, &id).await?;
    ensure!(result.outcome == "unsuccessful", "{result:?}");
    ensure!(
        result.reason == reason && !result.message.is_empty(),
        "{result:?}"
    );
    let task = result.task.as_ref();
    ensure!(
        task.is_some_and(|task| task.status == status),
        "the task is not {status}"
    );
    ensure!(result.manifest.is_none(), "the result has a receipt");
    fixture.assert_outcome_recorded(&result)
}

async fn a_failed_task_is_unsuccessful_for_the_upstream_reason(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let reason = "OutputVideoSensitiveContentDetected";
    check_that_it_is_unsuccessful(&server, Ending::Failed, "failed", reason).await
}
register!(a_failed_task_is_unsuccessful_for_the_upstream_reason);

async fn a_cancelled_task_is_unsuccessful(server: Arc<Server>) -> anyhow::Result<()> {
    check_that_it_is_unsuccessful(&server, Ending::Cancelled, "cancelled", "cancelled").await
}
register!(a_cancelled_task_is_unsuccessful);

async fn an_expired_task_is_unsuccessful(server: Arc<Server>) -> anyhow::Result<()> {
    check_that_it_is_unsuccessful(&server, Ending::Expired, "expired", "expired").await
}
register!(an_expired_task_is_unsuccessful);

/// A field that the contract does not define is stored too. The query of a URL in it is removed, because it may
/// be a signature.
async fn the_task_record_is_stored_as_received(server: Arc<Server>) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let id = fixture.simulator.create(Script {
        ending: Ending::Failed,
        extra: true,
        ..Script::default()
    });
    let result = fixture.run_lifecycle(&server, &id).await?;
    fixture.assert_outcome_recorded(&result)?;
    let files = fixture.archived_files()?;
    let file = files.iter().find(|file| file.ends_with("/task.json"));
    let file = fixture.directory.path().join(file.context("no task.json")?);
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
register!(the_task_record_is_stored_as_received);

async fn a_task_that_does_not_exist_is_unknown(server: Arc<Server>) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let now = Timestamp::try_from(fixture.clock.now())?;
    let id = format!("cgt-{}-zzzzz", now.strftime("%Y%m%d%H%M%S"));
    let result = fixture
        .with_worker(&server, async {
            let lifecycle = fixture.start_lifecycle(&server, &id).await?;
            fixture.polled(&id, 1).await?;
            fixture.advance_clock(fixture.not_found_grace()?).await;
            Ok(lifecycle.result().await?)
        })
        .await?;
    ensure!(result.outcome == "unknown", "{result:?}");
    ensure!(
        result.reason == "task_not_found" && result.message.contains("another account or region"),
        "{result:?}"
    );
    ensure!(
        result.task.is_none() && result.manifest.is_none(),
        "{result:?}"
    );
    // The time in the id says where the receipt would be.
    let files = fixture.archived_files()?;
    let [file] = files.as_slice() else {
        anyhow::bail!("unexpected files: {files:?}");
    };
    ensure!(file.ends_with(&format!("/{id}/outcome.json")), "{file}");
    let path = fixture.directory.path().join(file);
    let outcome: OutcomeRecord = serde_json::from_slice(&std::fs::read(path)?)?;
    ensure!(
        outcome.reason == "task_not_found" && outcome.task_id == id,
        "{outcome:?}"
    );
    Ok(())
}
register!(a_task_that_does_not_exist_is_unknown);

async fn a_task_still_running_when_the_query_window_closes_is_lost(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    check_that_it_is_lost_when_the_window_closes(&server, Duration::ZERO, "running").await
}
register!(a_task_still_running_when_the_query_window_closes_is_lost);

async fn a_task_still_queued_when_the_query_window_closes_is_lost(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    check_that_it_is_lost_when_the_window_closes(&server, 30 * DAY, "queued").await
}
register!(a_task_still_queued_when_the_query_window_closes_is_lost);

async fn check_that_it_is_lost_when_the_window_closes(
    server: &Server,
    queued: Duration,
    status: &str,
) -> anyhow::Result<()> {
    let fixture = Fixture::new(server).await?;
    let id = fixture.simulator.create(Script {
        queued: Some(queued),
        running: Some(30 * DAY),
        ..Script::default()
    });
    let result = fixture
        .with_worker(server, async {
            let lifecycle = fixture.start_lifecycle(server, &id).await?;
            fixture.polled(&id, 1).await?;
            fixture.close_query_window().await;
            Ok(lifecycle.result().await?)
        })
        .await?;
    ensure!(result.outcome == "lost", "{result:?}");
    ensure!(
        result.reason == "query_window_closed" && result.message.ends_with(status),
        "{result:?}"
    );
    ensure!(
        result.task.is_some_and(|task| task.status == status),
        "the result does not have the last task record"
    );
    Ok(())
}

/// The task stays queued, so the polling activity does not complete: only the state that the activity passes
/// from attempt to attempt proves that the task exists.
async fn a_404_does_not_end_the_lifecycle_of_a_known_task(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    check_that_a_404_is_not_final(&server, async |_| Ok(())).await
}
register!(a_404_does_not_end_the_lifecycle_of_a_known_task);

/// Both videos are kept, and a sweep does not retry the task.
async fn a_different_video_under_the_same_key_is_a_store_conflict(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let id = fixture.simulator.create(Script::default());
    let directory = fixture.directory.path().join(task_prefix(&id)?);
    std::fs::create_dir_all(&directory)?;
    std::fs::write(directory.join("video.mp4"), "another video")?;

    let result = fixture.run_lifecycle(&server, &id).await;
    ensure!(result.is_err(), "the lifecycle did not fail: {result:?}");
    let stored = std::fs::read_to_string(directory.join("video.mp4"))?;
    ensure!(stored == "another video", "the video was replaced");
    let outcome: OutcomeRecord =
        serde_json::from_slice(&std::fs::read(directory.join("outcome.json"))?)?;
    ensure!(
        outcome.outcome == "unknown" && outcome.reason == "store_conflict",
        "{outcome:?}"
    );
    Ok(())
}
register!(a_different_video_under_the_same_key_is_a_store_conflict);

/// For example with one of a later version.
async fn a_lifecycle_fails_with_a_failure_that_says_nothing_of_the_task(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let id = fixture.simulator.create(Script {
        hold_at: Some(1_000),
        ..Script::default()
    });
    let sent = || fixture.simulator.stats(&id).bytes_sent;
    fixture
        .with_worker(&server, async {
            let lifecycle = fixture.start_lifecycle(&server, &id).await?;
            until("the download has started", || sent() == 1_000).await?;
            let workflow_id = names::lifecycle_workflow_id("", &id);
            fail_activity(&server.client, &workflow_id, names::ARCHIVE_ACTIVITY_ID).await?;
            let result = lifecycle.result().await;
            ensure!(result.is_err(), "the lifecycle did not fail: {result:?}");
            fixture.release_stopped_download(&id).await
        })
        .await?;
    let directory = fixture.directory.path().join(task_prefix(&id)?);
    let outcome: OutcomeRecord =
        serde_json::from_slice(&std::fs::read(directory.join("outcome.json"))?)?;
    ensure!(
        outcome.outcome == "unknown" && outcome.reason == "broken",
        "{outcome:?}"
    );
    Ok(())
}
register!(a_lifecycle_fails_with_a_failure_that_says_nothing_of_the_task);

/// The service no longer has the record, so only the id is known.
async fn a_video_that_was_archived_before_its_record_was_purged_is_archived(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let id = fixture.simulator.create(Script::default());
    let (first, second) = fixture
        .with_worker(&server, async {
            let first = fixture
                .start_lifecycle(&server, &id)
                .await?
                .result()
                .await?;
            fixture.simulator.set_hidden(&id, true);
            let lifecycle = fixture.start_lifecycle(&server, &id).await?;
            fixture.polled(&id, 1).await?;
            fixture.advance_clock(fixture.not_found_grace()?).await;
            Ok((first, lifecycle.result().await?))
        })
        .await?;
    ensure!(second.outcome == "archived", "{second:?}");
    ensure!(
        second.manifest == first.manifest && second.task.is_none() && second.reason.is_empty(),
        "{second:?}"
    );
    Ok(())
}
register!(a_video_that_was_archived_before_its_record_was_purged_is_archived);

/// The lifecycle knows that the task was running when its record vanished. Meanwhile, another one archived the video, and
/// an attempt to record the outcome died.
async fn a_video_that_was_archived_by_other_means_is_not_lost(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let id = fixture.simulator.create(Script {
        running: Some(DAY),
        ..Script::default()
    });
    let directory = fixture.directory.path().join(task_prefix(&id)?);
    let result = fixture
        .with_worker(&server, async {
            let lifecycle = fixture.start_lifecycle(&server, &id).await?;
            fixture.polled(&id, 1).await?;
            fixture.simulator.set_hidden(&id, true);
            fixture.polled(&id, 1).await?;
            std::fs::create_dir_all(&directory)?;
            let receipt = json!({"task_id": id, "objects": [{"name": "video.mp4"}]});
            std::fs::write(directory.join("manifest.json"), receipt.to_string())?;
            std::fs::write(directory.join("outcome.json"), "{}")?;
            fixture.close_query_window().await;
            Ok(lifecycle.result().await?)
        })
        .await?;
    ensure!(
        result.outcome == "archived" && result.task.is_some(),
        "{result:?}"
    );
    let has_outcome = directory.join("outcome.json").try_exists()?;
    ensure!(!has_outcome, "an outcome stayed beside the receipt");
    Ok(())
}
register!(a_video_that_was_archived_by_other_means_is_not_lost);
