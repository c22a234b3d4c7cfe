//! What is in the archive afterwards.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, ensure};
use seedance_archiver::{
    config::Account,
    temporal::lifecycles::{self, Step},
};
use seedance_archiver_proto::v1::VideoTaskLifecycleRequest;
use seedance_archiver_simulator::{Image, Script};
use sha2::{Digest, Sha256};
use temporalio_client::{WorkflowCancelOptions, WorkflowFetchHistoryOptions};
use temporalio_common::protos::temporal::api::history::v1::history_event::Attributes;

use crate::{
    Suite,
    world::{Server, World, read_local, until},
};

pub(crate) fn tests(suite: Suite) -> Suite {
    suite
        .test("archiving::a_cut_connection_goes_on", cuts_go_on)
        .test(
            "archiving::a_whole_answer_after_a_cut_is_stored_once",
            a_whole_answer_after_a_cut,
        )
        .test(
            "archiving::the_last_frame_is_called_what_it_is",
            archives_the_last_frame,
        )
        .test(
            "archiving::stores_the_served_bytes_and_a_receipt",
            stores_the_served_bytes,
        )
        .test(
            "archiving::a_rerun_downloads_nothing",
            a_rerun_downloads_nothing,
        )
        .test(
            "archiving::asks_for_a_fresh_url_when_one_is_dead",
            asks_for_a_fresh_url,
        )
        .test(
            "archiving::a_url_that_never_works_is_lost_at_the_window's_end",
            no_url_works,
        )
        .test(
            "archiving::a_receipt_makes_an_earlier_outcome_void",
            receipt_after_outcome,
        )
        .test(
            "archiving::a_store_that_is_down_costs_no_download",
            store_is_down,
        )
        .test(
            "archiving::what_expires_soonest_has_the_highest_priority",
            priorities,
        )
        .test(
            "archiving::a_later_lifecycle_replaces_the_record",
            record_after_outcome,
        )
        .test(
            "archiving::a_destination_below_the_archive_is_used",
            uses_the_destination,
        )
}

async fn stores_the_served_bytes(server: Arc<Server>) -> anyhow::Result<()> {
    let world = World::new(&server).await?;
    // More than two parts of an upload, and no whole number of them.
    let script = Script {
        bytes: Some(20_000_003),
        generate_audio: true,
        ..Script::default()
    };
    let id = world.simulator.create(script);
    let manifest = world
        .run(&server, &id)
        .await?
        .manifest
        .context("no receipt")?;

    let object = manifest.objects.first().context("no object")?;
    ensure!(
        object.content_type == "video/mp4" && object.name == "video.mp4",
        "{object:?}"
    );
    let files = world.archived_files()?;
    ensure!(files.len() == 3, "something is left: {files:?}");
    world.holds_exactly(&id, &manifest)
}

/// Each cut costs a download, and what was on its way.
async fn cuts_go_on(server: Arc<Server>) -> anyhow::Result<()> {
    let world = World::new(&server).await?;
    let bytes = 20_000_003;
    let id = world.simulator.create(Script {
        bytes: Some(bytes),
        cuts: 2,
        cut_after: bytes / 5 * 2,
        ..Script::default()
    });
    let result = world.run(&server, &id).await?;
    let manifest = result.manifest.context("no receipt")?;
    ensure!(
        manifest.attempts == 1 && manifest.bytes_fetched_again == 0,
        "{manifest:?}"
    );
    let stats = world.simulator.stats(&id);
    ensure!(
        stats.downloads == 3 && stats.bytes_sent < bytes + bytes / 5,
        "{stats:?}"
    );
    world.holds_exactly(&id, &manifest)
}

/// What came before the cut comes again, and counts once.
async fn a_whole_answer_after_a_cut(server: Arc<Server>) -> anyhow::Result<()> {
    let world = World::new(&server).await?;
    let bytes = 20_000_003;
    let id = world.simulator.create(Script {
        bytes: Some(bytes),
        cuts: 1,
        cut_after: bytes / 5 * 3,
        no_ranges: true,
        ..Script::default()
    });
    let result = world.run(&server, &id).await?;
    let manifest = result.manifest.context("no receipt")?;
    ensure!(
        manifest.attempts == 1 && (1..=12_000_001).contains(&manifest.bytes_fetched_again),
        "{manifest:?}"
    );
    world.holds_exactly(&id, &manifest)
}

/// It is called a PNG and is a JPEG, as the service has done.
async fn archives_the_last_frame(server: Arc<Server>) -> anyhow::Result<()> {
    let world = World::new(&server).await?;
    let id = world.simulator.create(Script {
        last_frame: Some(Image::Jpeg),
        ..Script::default()
    });
    let result = world.run(&server, &id).await?;
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

async fn a_rerun_downloads_nothing(server: Arc<Server>) -> anyhow::Result<()> {
    let world = World::new(&server).await?;
    let id = world.simulator.create(Script::default());
    let first = world.run(&server, &id).await?;
    let second = world.run(&server, &id).await?;
    ensure!(
        first.manifest.is_some() && first.manifest == second.manifest,
        "{second:?}"
    );
    let downloads = world.simulator.stats(&id).downloads;
    ensure!(downloads == 1, "{downloads} downloads");
    Ok(())
}

async fn asks_for_a_fresh_url(server: Arc<Server>) -> anyhow::Result<()> {
    let world = World::new(&server).await?;
    let id = world.simulator.create(Script {
        dead_urls: 1,
        ..Script::default()
    });
    let result = world.run(&server, &id).await?;
    ensure!(result.outcome == "archived", "{result:?}");
    let stats = world.simulator.stats(&id);
    ensure!(
        stats.downloads == 1,
        "the dead URL did not stay dead: {stats:?}"
    );
    Ok(())
}

/// The worker's clock and the simulator's are one, so a URL that lives for no time is dead whenever
/// it is looked at.
async fn no_url_works(server: Arc<Server>) -> anyhow::Result<()> {
    let world = World::with(
        &server,
        |simulator| simulator.url_lifetime(Duration::ZERO),
        |account| {
            account.windows.query_window = Duration::from_secs(15);
            account.windows.margin = Duration::from_secs(5);
        },
    )
    .await?;
    let id = world.simulator.create(Script::default());
    let result = world.run(&server, &id).await?;
    ensure!(result.outcome == "lost", "{result:?}");
    ensure!(result.reason == "url_expired", "{result:?}");
    let task = result.task.as_ref();
    ensure!(
        task.is_some_and(|task| task.status == "succeeded"),
        "the task is forgotten"
    );
    let stats = world.simulator.stats(&id);
    ensure!(stats.queries > 3 && stats.downloads == 0, "{stats:?}");
    world.holds_outcome(&result)
}

async fn receipt_after_outcome(server: Arc<Server>) -> anyhow::Result<()> {
    let world = World::new(&server).await?;
    let id = world.simulator.create(Script {
        bytes: Some(20_000_000),
        bytes_per_second: Some(5_000_000),
        ..Script::default()
    });
    let results = world
        .with_worker(&server, async {
            let lifecycle = world.start(&server, &id).await?;
            let sent = || world.simulator.stats(&id).bytes_sent;
            until("the download is under way", || sent() > 1_000_000).await?;
            server
                .lifecycle(&id)
                .cancel(WorkflowCancelOptions::default())
                .await?;
            let cancelled = lifecycle.result().await?;
            world.holds_outcome(&cancelled)?;
            Ok(world.start(&server, &id).await?.result().await?)
        })
        .await?;
    let files = world.archived_files()?;
    ensure!(
        !files.iter().any(|file| file.ends_with("outcome.json")),
        "{files:?}"
    );
    ensure!(results.outcome == "archived", "{results:?}");
    Ok(())
}

async fn store_is_down(server: Arc<Server>) -> anyhow::Result<()> {
    let world = World::new(&server).await?;
    let id = world.simulator.create(Script::default());
    let path = world.directory.path();
    let result = world
        .with_worker(&server, async {
            // Where the archive was is a file now: nothing can be written below it.
            std::fs::remove_dir(path)?;
            std::fs::write(path, "in the way")?;
            let lifecycle = world.start(&server, &id).await?;
            let mut fault = None;
            let result = lifecycle
                .follow(|doing| match doing {
                    Step::Waiting(words) if words.contains("archive store error") => {
                        let downloads = world.simulator.stats(&id).downloads;
                        fault.get_or_insert((words, downloads));
                        let _ = std::fs::remove_file(path);
                        let _ = std::fs::create_dir(path);
                    }
                    _ => {}
                })
                .await?;
            let (words, downloads) = fault.context("the store's fault was not shown")?;
            ensure!(downloads == 0, "{downloads} downloads while: {words}");
            Ok(result)
        })
        .await?;
    let manifest = result.manifest.context("no receipt")?;
    ensure!(
        world.simulator.stats(&id).downloads == 1,
        "not one download"
    );
    world.holds_exactly(&id, &manifest)
}

async fn uses_the_destination(server: Arc<Server>) -> anyhow::Result<()> {
    let world = World::new(&server).await?;
    let id = world.simulator.create(Script::default());
    let destination = world.config.archive_url.join("team-a")?;
    let request = VideoTaskLifecycleRequest {
        task_id: id.clone(),
        destination: destination.to_string(),
        ..Default::default()
    };
    let result = world
        .with_worker(&server, async {
            let lifecycle =
                lifecycles::start(&server.client, &world.config.task_queue, request).await?;
            Ok(lifecycle.result().await?)
        })
        .await?;
    let manifest = result.manifest.context("no receipt")?;
    ensure!(
        manifest.manifest_url.starts_with(destination.as_str()),
        "{manifest:?}"
    );
    let files = world.archived_files()?;
    ensure!(
        files.iter().all(|file| file.starts_with("team-a/default/")),
        "{files:?}"
    );
    Ok(())
}

async fn priorities(server: Arc<Server>) -> anyhow::Result<()> {
    let hour = Duration::from_secs(60 * 60);
    for (window, expected) in [(5 * hour, 1), (20 * hour, 2), (10 * 24 * hour, 5)] {
        let short = |account: &mut Account| {
            account.windows.query_window = window;
            account.windows.url_lifetime = window;
        };
        let world = World::with(&server, |simulator| simulator, short).await?;
        let id = world.simulator.create(Script::default());
        world.run(&server, &id).await?;
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
        ensure!(key == expected, "{key} for {window:?}");
    }
    Ok(())
}

/// A lifecycle that was cancelled leaves the record of its time.
async fn record_after_outcome(server: Arc<Server>) -> anyhow::Result<()> {
    let world = World::new(&server).await?;
    let id = world.simulator.create(Script {
        running: Some(Duration::from_secs(3)),
        ..Script::default()
    });
    let result = world
        .with_worker(&server, async {
            let lifecycle = world.start(&server, &id).await?;
            let is_running = || world.simulator.status(&id) == Some("running");
            until("it runs", is_running).await?;
            let asked = world.simulator.stats(&id).queries;
            let queries = || world.simulator.stats(&id).queries;
            until("that is seen", || queries() > asked + 2).await?;
            server
                .lifecycle(&id)
                .cancel(WorkflowCancelOptions::default())
                .await?;
            world.holds_outcome(&lifecycle.result().await?)?;
            Ok(world.start(&server, &id).await?.result().await?)
        })
        .await?;
    let manifest = result.manifest.context("no receipt")?;
    world.holds_exactly(&id, &manifest)?;
    let record = manifest.manifest_url.replace("manifest", "task");
    let record = String::from_utf8(read_local(&record)?)?;
    ensure!(record.contains("\"succeeded\""), "{record}");
    Ok(())
}
