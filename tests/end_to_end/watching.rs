//! The watcher of an account, which polls the tasks of all waiting lifecycles together.

mod lists;
mod one_task;
mod status;

use std::{sync::Arc, time::Duration};

use anyhow::{Context, ensure};
use seedance_archiver::config::Secret;
use seedance_archiver_policy::poll::PollSchedule;
use seedance_archiver_simulator::{Fault, Script};

use crate::harness::{
    HOUR, Server,
    lifecycle::{ensure_short_history, until_waiting},
    register, until_async,
    watchers::Watched,
};

/// Interval between two polls of a lifecycle that polls on its own.
const POLL_INTERVAL: Duration = Duration::from_millis(200);
/// Half of the time that a watched lifecycle waits before it polls its task by itself.
const BEFORE_BACKSTOP: Duration = Duration::from_secs(5 * 60);

async fn tasks_that_are_waited_for_together_are_listed(server: Arc<Server>) -> anyhow::Result<()> {
    let watched = Watched::new(&server).await?;
    let ids = watched.create(8);
    let fixture = &watched.fixture;
    fixture
        .with_worker(&server, async {
            let lifecycles = watched.archive_together(&ids).await?;
            for (id, lifecycle) in ids.iter().zip(&lifecycles) {
                let queries = fixture.simulator.stats(id).queries;
                // The first poll, before there was a watcher, and the one for the record.
                ensure!(queries <= 2, "{queries} queries");
                ensure_short_history(&server, lifecycle).await?;
            }
            let lists = fixture.simulator.lists();
            ensure!((1..20).contains(&lists), "{lists} lists");
            Ok(())
        })
        .await
}
register!(tasks_that_are_waited_for_together_are_listed);

/// A caller that comes late starts another one, to get the result of the first one.
async fn the_next_lifecycle_of_an_archived_task_is_watched_too(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let watched = Watched::new(&server).await?;
    let ids = watched.create(8);
    let fixture = &watched.fixture;
    fixture
        .with_worker(&server, async {
            watched.archive_together(&ids).await?;
            let next = watched.start(&ids).await?;
            let archived = tokio::time::timeout(BEFORE_BACKSTOP, watched.archived(&next));
            archived.await.context("they wait for their backstops")?
        })
        .await
}
register!(the_next_lifecycle_of_an_archived_task_is_watched_too);

/// A worker that has seen no task end knows how long tasks take.
async fn completion_times_are_learned_from_the_list(server: Arc<Server>) -> anyhow::Result<()> {
    let watched = Watched::new(&server).await?;
    let fixture = &watched.fixture;
    // Too few in each list to rely on.
    watched.create(5);
    watched.create_with(5, |script| Script {
        flex: true,
        ..script
    });
    fixture.advance_clock(2 * HOUR).await;
    let ids = watched.create(5);
    fixture.simulator.set_list_fault(Some(Fault::Unavailable));
    fixture
        .with_worker(&server, async {
            let lifecycles = watched.start(&ids).await?;
            watched
                .until("the list fails", |progress| {
                    progress.last_error.contains("list:")
                })
                .await?;
            fixture.simulator.set_list_fault(None);
            watched
                .until("completion times are known", |progress| {
                    let times = progress.completion_times.as_ref();
                    let kinds = times.map_or(&[][..], |times| &times.kinds);
                    kinds.iter().flat_map(|kind| &kind.seconds).count() == 10
                })
                .await?;
            fixture.advance_clock(2 * HOUR).await;
            watched.archived(&lifecycles).await
        })
        .await
}
register!(completion_times_are_learned_from_the_list);

/// Lists show a service tier only if they are asked for it.
async fn tasks_of_every_tier_are_watched(server: Arc<Server>) -> anyhow::Result<()> {
    let watched = Watched::new(&server).await?;
    let mut ids = watched.create(3);
    ids.extend(watched.create_with(3, |script| Script {
        flex: true,
        ..script
    }));
    let fixture = &watched.fixture;
    fixture
        .with_worker(&server, async {
            let lifecycles = watched.start(&ids).await?;
            watched.until_watched(6).await?;
            fixture.advance_clock(HOUR).await;
            watched.until_running(&lifecycles).await?;
            fixture.advance_clock(HOUR).await;
            watched.archived(&lifecycles).await
        })
        .await
}
register!(tasks_of_every_tier_are_watched);

/// What the watcher said in its last heartbeat does not count while it waits for its next attempt.
async fn lifecycles_poll_while_the_watcher_does_not_run(server: Arc<Server>) -> anyhow::Result<()> {
    let watched = Watched::with(&server, |account| {
        account.schedule.min_interval = POLL_INTERVAL;
        account.schedule.max_interval = POLL_INTERVAL;
    })
    .await?;
    let fixture = &watched.fixture;
    let ids = watched.create(5);
    fixture
        .with_worker(&server, async {
            watched.start(&ids).await?;
            watched.until_watched(5).await?;
            watched.suspend().await
        })
        .await?;
    let heartbeat = watched.progress().await?;
    ensure!(heartbeat.is_reliable, "{heartbeat:?}");
    let id = &watched.create(1)[0];
    // Another worker remembers nothing of the watcher.
    fixture
        .with_worker(&server, async {
            watched.start(std::slice::from_ref(id)).await?;
            fixture.polled(id, 3).await
        })
        .await
}
register!(lifecycles_poll_while_the_watcher_does_not_run);

async fn another_worker_watches_for_a_killed_one(server: Arc<Server>) -> anyhow::Result<()> {
    let watched = Watched::new(&server).await?;
    let ids = watched.create_with(6, |script| Script {
        queued: Some(Duration::ZERO),
        running: Some(HOUR),
        ..script
    });
    let (mut first, _directory) = watched.spawn_worker()?;
    let lifecycles = watched.start(&ids).await?;
    watched.until_watched(6).await?;
    first.kill().await?;
    let fixture = &watched.fixture;
    fixture
        .with_worker(&server, async {
            fixture.advance_clock(HOUR).await;
            watched.archived(&lifecycles).await
        })
        .await
}
register!(another_worker_watches_for_a_killed_one, takes_long);

async fn new_tasks_are_archived_without_a_request(server: Arc<Server>) -> anyhow::Result<()> {
    let watched = Watched::new(&server).await?;
    let (_worker, _directory) = watched.spawn_worker_with("auto_archive = true")?;
    watched
        .until("the watcher has listed the tasks", |progress| {
            progress.listed_at > 0
        })
        .await?;
    // One of the tasks may meet the sweep that starts every half hour.
    for _ in 0..2 {
        let id = watched.fixture.simulator.create(Script::default());
        until_async("the video is archived", || async {
            let files = watched.fixture.archived_files()?;
            Ok(files
                .iter()
                .any(|file| file.ends_with("manifest.json") && file.contains(&id)))
        })
        .await?;
    }
    watched
        .until("the watcher has started a lifecycle", |progress| {
            progress.started > 0
        })
        .await
}
register!(new_tasks_are_archived_without_a_request);

/// Two workers start the watcher at once, and their lifecycles rely on the same one.
async fn there_is_one_watcher_for_two_workers(server: Arc<Server>) -> anyhow::Result<()> {
    let watched = Watched::new(&server).await?;
    let ids = watched.create_with(8, |script| Script {
        queued: Some(Duration::ZERO),
        running: Some(Duration::from_secs(30)),
        ..script
    });
    let _first = watched.spawn_worker()?;
    let _second = watched.spawn_worker()?;
    let lifecycles = watched.start(&ids).await?;
    watched.archived(&lifecycles).await?;
    let watcher = watched.describe().await?;
    let started = watcher.context("no watcher")?;
    ensure!(
        started.raw().pending_activities.len() == 1,
        "{:?}",
        started.raw()
    );
    Ok(())
}
register!(there_is_one_watcher_for_two_workers, takes_long);

/// Between the rotation at the service and that of the file, every request is rejected.
async fn an_account_is_watched_after_its_key_was_rotated(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let key_file = tempfile::NamedTempFile::new()?;
    let path = key_file.path().to_path_buf();
    let watched = Watched::with(&server, |account| {
        account.endpoint.api_key = Secret::File(path.clone());
    })
    .await?;
    let fixture = &watched.fixture;
    std::fs::write(&path, fixture.simulator.api_key())?;
    let ids = watched.create(6);
    fixture
        .with_worker(&server, async {
            let lifecycles = watched.start(&ids).await?;
            watched.until_watched(6).await?;
            fixture.simulator.rotate_api_key("another-key");
            fixture.advance_clock(HOUR).await;
            watched
                .until("the watcher says that the key is rejected", |progress| {
                    progress.last_error.contains("HTTP 401")
                })
                .await?;
            std::fs::write(&path, "another-key")?;
            watched.until_running(&lifecycles).await?;
            fixture.advance_clock(HOUR).await;
            watched.archived(&lifecycles).await
        })
        .await
}
register!(an_account_is_watched_after_its_key_was_rotated);

async fn a_task_that_does_not_exist_is_polled_by_its_lifecycle(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let watched = Watched::with(&server, |account| {
        account.schedule = PollSchedule::default();
    })
    .await?;
    let ids = watched.create(4);
    let fixture = &watched.fixture;
    fixture
        .with_worker(&server, async {
            // One is older than the watcher, which cannot have seen it either.
            let mut unknown = watched.start(&["cgt-old".to_owned()]).await?;
            watched.start(&ids).await?;
            watched.until_watched(5).await?;
            unknown.extend(watched.start(&["cgt-new".to_owned()]).await?);
            watched.until_watched(6).await?;
            // The API may return 404 for a new task.
            fixture.advance_clock(HOUR).await;
            until_waiting(&unknown[1], "not found yet").await?;
            fixture.advance_clock(HOUR).await;
            for lifecycle in unknown {
                let result = lifecycle.result().await?;
                ensure!(result.reason == "task_not_found", "{result:?}");
            }
            Ok(())
        })
        .await
}
register!(
    a_task_that_does_not_exist_is_polled_by_its_lifecycle,
    takes_long
);

/// Nobody else would notice: the lifecycles rely on it.
async fn a_terminated_watcher_is_started_again(server: Arc<Server>) -> anyhow::Result<()> {
    let watched = Watched::new(&server).await?;
    let ids = watched.create(6);
    let fixture = &watched.fixture;
    fixture
        .with_worker(&server, async {
            let lifecycles = watched.start(&ids).await?;
            watched.until_watched(6).await?;
            watched.terminate().await?;
            fixture.advance_clock(HOUR).await;
            watched.until_running(&lifecycles).await?;
            fixture.advance_clock(HOUR).await;
            watched.archived(&lifecycles).await
        })
        .await
}
register!(a_terminated_watcher_is_started_again, takes_long);
