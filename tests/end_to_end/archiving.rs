//! The transfer of a video, and the contents of the archive afterwards.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, ensure};
use seedance_archiver::config::Account;
use seedance_archiver_simulator::{Image, Script};
use sha2::{Digest, Sha256};
use temporalio_client::{WorkflowCancelOptions, WorkflowFetchHistoryOptions};
use temporalio_common::protos::temporal::api::history::v1::history_event::Attributes;

use crate::harness::{
    Fixture, HOUR, Server, attempts::ensure_attempts, lifecycle::until_waiting, read_local,
    register, until,
};

async fn the_served_bytes_are_stored_with_a_receipt(server: Arc<Server>) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    // Larger than two parts of a multipart upload, and not a multiple of the part size.
    let script = Script {
        bytes: Some(20_000_003),
        generate_audio: true,
        ..Script::default()
    };
    let id = fixture.simulator.create(script);
    let manifest = fixture
        .run_lifecycle(&server, &id)
        .await?
        .manifest
        .context("no receipt")?;

    let object = manifest.objects.first().context("no object")?;
    ensure!(
        object.content_type == "video/mp4" && object.name == "video.mp4",
        "{object:?}"
    );
    let files = fixture.archived_files()?;
    ensure!(files.len() == 3, "unexpected files: {files:?}");
    fixture.assert_archived(&id, &manifest)
}
register!(the_served_bytes_are_stored_with_a_receipt);

/// Each dropped connection costs one more download, and the bytes that were in flight.
async fn a_download_resumes_after_a_dropped_connection(server: Arc<Server>) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let bytes = 20_000_003;
    let id = fixture.simulator.create(Script {
        bytes: Some(bytes),
        cuts: 2,
        cut_after: bytes / 5 * 2,
        ..Script::default()
    });
    let result = fixture.run_lifecycle(&server, &id).await?;
    let manifest = result.manifest.context("no receipt")?;
    ensure_attempts(&server, &manifest, 1..=1).await?;
    ensure!(manifest.bytes_fetched_again == 0, "{manifest:?}");
    let stats = fixture.simulator.stats(&id);
    ensure!(
        stats.downloads == 3 && stats.bytes_sent < bytes + bytes / 5,
        "{stats:?}"
    );
    fixture.assert_archived(&id, &manifest)
}
register!(a_download_resumes_after_a_dropped_connection);

/// The server sends the bytes before the drop again; they are stored once.
async fn a_response_that_ignores_the_range_header_is_stored_once(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let bytes = 20_000_003;
    let id = fixture.simulator.create(Script {
        bytes: Some(bytes),
        cuts: 1,
        cut_after: bytes / 5 * 3,
        no_ranges: true,
        ..Script::default()
    });
    let result = fixture.run_lifecycle(&server, &id).await?;
    let manifest = result.manifest.context("no receipt")?;
    ensure_attempts(&server, &manifest, 1..=1).await?;
    ensure!(
        (1..=12_000_001).contains(&manifest.bytes_fetched_again),
        "{manifest:?}"
    );
    fixture.assert_archived(&id, &manifest)
}
register!(a_response_that_ignores_the_range_header_is_stored_once);

/// The simulator serves a JPEG under a `.png` name, as the real service did.
async fn the_last_frame_is_named_after_its_actual_image_format(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let id = fixture.simulator.create(Script {
        last_frame: Some(Image::Jpeg),
        ..Script::default()
    });
    let result = fixture.run_lifecycle(&server, &id).await?;
    let manifest = result.manifest.context("no receipt")?;
    let names = manifest.objects.iter().map(|object| object.name.as_str());
    let names: Vec<_> = names.collect();
    ensure!(
        names == ["video.mp4", "last_frame.jpg", "task.json"],
        "{names:?}"
    );
    for object in &manifest.objects {
        let stored = read_local(&object.url)?;
        let sha256 = hex::encode(Sha256::digest(&stored));
        ensure!(
            object.sha256 == sha256 && object.size_bytes == stored.len() as i64,
            "{object:?}"
        );
    }
    let checks = &manifest.objects[0].checks;
    ensure!(
        checks.len() >= 4 && checks.iter().all(|check| check.result == "passed"),
        "{checks:?}"
    );
    Ok(())
}
register!(the_last_frame_is_named_after_its_actual_image_format);

async fn a_second_lifecycle_of_an_archived_task_downloads_nothing(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let id = fixture.simulator.create(Script::default());
    let first = fixture.run_lifecycle(&server, &id).await?;
    let second = fixture.run_lifecycle(&server, &id).await?;
    ensure!(
        first.manifest.is_some() && first.manifest == second.manifest,
        "{second:?}"
    );
    let downloads = fixture.simulator.stats(&id).downloads;
    ensure!(downloads == 1, "{downloads} downloads");
    Ok(())
}
register!(a_second_lifecycle_of_an_archived_task_downloads_nothing);

async fn a_dead_url_is_replaced_by_a_fresh_one(server: Arc<Server>) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let id = fixture.simulator.create(Script {
        dead_urls: 1,
        ..Script::default()
    });
    let result = fixture.run_lifecycle(&server, &id).await?;
    ensure!(result.outcome == "archived", "{result:?}");
    let stats = fixture.simulator.stats(&id);
    ensure!(
        stats.downloads == 1,
        "a download from the dead URL succeeded: {stats:?}"
    );
    Ok(())
}
register!(a_dead_url_is_replaced_by_a_fresh_one);

/// The worker and the simulator have the same clock, so a URL with a lifetime of zero is always expired.
async fn a_video_whose_urls_never_work_is_lost_when_the_query_window_closes(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let fixture = Fixture::with(
        &server,
        |simulator| simulator.url_lifetime(Duration::ZERO),
        |_| {},
    )
    .await?;
    let id = fixture.simulator.create(Script::default());
    let result = fixture
        .with_worker(&server, async {
            let lifecycle = fixture.start_lifecycle(&server, &id).await?;
            // The transfer asked for a fresh URL.
            until_waiting(&lifecycle, "the task record has no working URL").await?;
            fixture.close_query_window().await;
            Ok(lifecycle.result().await?)
        })
        .await?;
    ensure!(result.outcome == "lost", "{result:?}");
    ensure!(result.reason == "url_expired", "{result:?}");
    let task = result.task.as_ref();
    ensure!(
        task.is_some_and(|task| task.status == "succeeded"),
        "the result does not have the last task record"
    );
    let stats = fixture.simulator.stats(&id);
    ensure!(stats.downloads == 0, "{stats:?}");
    fixture.assert_outcome_recorded(&result)
}
register!(a_video_whose_urls_never_work_is_lost_when_the_query_window_closes);

async fn a_receipt_replaces_an_earlier_outcome_record(server: Arc<Server>) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let id = fixture.simulator.create(Script {
        bytes: Some(20_000_000),
        hold_at: Some(1_000_000),
        ..Script::default()
    });
    let results = fixture
        .with_worker(&server, async {
            let lifecycle = fixture.start_lifecycle(&server, &id).await?;
            let sent = || fixture.simulator.stats(&id).bytes_sent;
            until("the download has started", || sent() == 1_000_000).await?;
            server
                .lifecycle(&id)
                .cancel(WorkflowCancelOptions::default())
                .await?;
            let cancelled = lifecycle.result().await?;
            fixture.assert_outcome_recorded(&cancelled)?;
            fixture.simulator.release(&id);
            Ok(fixture
                .start_lifecycle(&server, &id)
                .await?
                .result()
                .await?)
        })
        .await?;
    let files = fixture.archived_files()?;
    ensure!(
        !files.iter().any(|file| file.ends_with("outcome.json")),
        "{files:?}"
    );
    ensure!(results.outcome == "archived", "{results:?}");
    Ok(())
}
register!(a_receipt_replaces_an_earlier_outcome_record);

async fn nothing_is_downloaded_while_the_store_is_down(server: Arc<Server>) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let id = fixture.simulator.create(Script::default());
    let result = fixture
        .with_worker(&server, async {
            let blocked = fixture.block_archive()?;
            let lifecycle = fixture.start_lifecycle(&server, &id).await?;
            until_waiting(&lifecycle, "archive store error").await?;
            let downloads = fixture.simulator.stats(&id).downloads;
            ensure!(downloads == 0, "{downloads} downloads");
            blocked.end()?;
            Ok(lifecycle.result().await?)
        })
        .await?;
    let manifest = result.manifest.context("no receipt")?;
    ensure!(
        fixture.simulator.stats(&id).downloads == 1,
        "the video was not downloaded exactly once"
    );
    fixture.assert_archived(&id, &manifest)
}
register!(nothing_is_downloaded_while_the_store_is_down);

async fn a_nearer_deadline_gives_a_transfer_a_higher_priority(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let hour = Duration::from_secs(60 * 60);
    for (window, expected) in [(5 * hour, 1), (20 * hour, 2), (10 * 24 * hour, 5)] {
        let with_window = |account: &mut Account| {
            account.windows.query_window = window;
            account.windows.url_lifetime = window;
        };
        let fixture = Fixture::with_account(&server, with_window).await?;
        let id = fixture.simulator.create(Script::default());
        fixture.run_lifecycle(&server, &id).await?;
        let events = server
            .lifecycle(&id)
            .fetch_history(WorkflowFetchHistoryOptions::default())
            .into_events()
            .await?;
        let priority = events.into_iter().find_map(|event| match event.attributes {
            Some(Attributes::ActivityTaskScheduledEventAttributes(scheduled))
                if scheduled.activity_id == "archive" =>
            {
                scheduled.priority
            }
            _ => None,
        });
        let key = priority.context("no priority")?.priority_key;
        ensure!(key == expected, "priority {key} for a window of {window:?}");
    }
    Ok(())
}
register!(a_nearer_deadline_gives_a_transfer_a_higher_priority);

/// A cancelled lifecycle stores the task record as it was at that time.
async fn a_later_lifecycle_replaces_the_task_record(server: Arc<Server>) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let id = fixture.simulator.create(Script {
        running: Some(HOUR),
        ..Script::default()
    });
    let result = fixture
        .with_worker(&server, async {
            let lifecycle = fixture.start_lifecycle(&server, &id).await?;
            let is_running = || fixture.simulator.status(&id) == Some("running");
            until("the task is running", is_running).await?;
            fixture.polled(&id, 1).await?;
            server
                .lifecycle(&id)
                .cancel(WorkflowCancelOptions::default())
                .await?;
            fixture.assert_outcome_recorded(&lifecycle.result().await?)?;
            fixture.advance_clock(HOUR).await;
            Ok(fixture
                .start_lifecycle(&server, &id)
                .await?
                .result()
                .await?)
        })
        .await?;
    let manifest = result.manifest.context("no receipt")?;
    fixture.assert_archived(&id, &manifest)?;
    let record = manifest.manifest_url.replace("manifest", "task");
    let record = String::from_utf8(read_local(&record)?)?;
    ensure!(record.contains("\"succeeded\""), "{record}");
    Ok(())
}
register!(a_later_lifecycle_replaces_the_task_record);
