//! A fleet of the last release is replaced by this version while lifecycles run.

use std::{cell::Cell, path::Path, sync::Arc};

use anyhow::{Context, ensure};
use futures::future::try_join_all;
use rustix::process::Signal;
use seedance_archiver::temporal::lifecycles::{ExecutionStatus, Lifecycle};
use seedance_archiver_proto::names;
use seedance_archiver_simulator::Script;
use seedance_archiver_workflows::AccountWatcher;
use tempfile::NamedTempFile;
use temporalio_client::{WorkflowDescribeOptions, WorkflowExecutionStatus};

use super::process::WorkerProcess;
use crate::harness::{
    Fixture, HOUR, Server,
    heartbeat::heartbeat,
    minio::{Bucket, Minio},
    register, sweeps, tools, until, until_async,
};

/// Number of workers.
const FLEET: usize = 2;
/// Queries a second of each worker of version 0.1, which applies the limit by itself: together the 20 of the account.
const QUERIES_PER_SECOND: usize = 20 / FLEET;
/// Number of lifecycles that are open when the first worker is stopped.
const LIFECYCLES: usize = 100;
/// Number of callers that archive one video after another while workers are replaced.
const CALLERS: usize = 10;
/// Number of videos that callers archive before the next worker is replaced.
const ARCHIVED_MEANWHILE: usize = 10;
/// Size of a large video: eight parts.
const LARGE: u64 = 38_000_000;
/// What is downloaded of a large video before its worker is replaced: six parts, and a piece of the seventh. The last release
/// sends four at a time, and sets a checkpoint only when it sends one and earlier ones are stored.
const HELD_AT: u64 = 33_000_000;

async fn a_fleet_of_the_last_release_is_replaced_under_load(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let (fixture, account) = sweeps::fixture(&server, |_| {}).await?;
    let minio = Minio::start(tools::minio()?).await?;
    let fleet = Fleet {
        server: &server,
        accounts: accounts_file(&fixture, &account)?,
        bucket: minio.new_bucket("videos")?,
        fixture,
        account,
    };
    let released = tools::released_worker()?;
    let mut old = Vec::new();
    for _ in 0..FLEET {
        old.push(fleet.start(Some(&released)).await?);
    }
    let open = fleet.start_open_lifecycles().await?;
    fleet.until_in_progress(&open).await?;
    let load = Load::default();
    let replaced = fleet.replace(old, &open, &load);
    let (_new, mut tasks) = tokio::try_join!(replaced, fleet.archive_meanwhile(&load))?;
    tasks.extend(open);
    fleet.release(&tasks);
    fleet.until_watched().await?;
    fleet.fixture.advance_clock(HOUR).await;
    fleet.ensure_archived(&tasks).await
}
register!(
    a_fleet_of_the_last_release_is_replaced_under_load,
    needs = [released_worker, minio],
    takes_long
);

/// A task with its lifecycle.
struct Task {
    id: String,
    lifecycle: Lifecycle,
    is_large: bool,
}

/// What callers do while workers are replaced.
#[derive(Default)]
struct Load {
    /// Number of videos that were archived.
    archived: Cell<usize>,
    /// Whether callers start no further lifecycle.
    is_over: Cell<bool>,
}

impl Load {
    /// Waits until callers have archived some more videos.
    async fn until_archived(&self) -> anyhow::Result<()> {
        let enough = self.archived.get() + ARCHIVED_MEANWHILE;
        until("videos are archived meanwhile", || {
            self.archived.get() >= enough
        })
        .await
    }
}

/// What the workers of a fleet share.
struct Fleet<'a> {
    server: &'a Server,
    fixture: Fixture,
    account: String,
    /// The accounts file.
    accounts: NamedTempFile,
    bucket: Bucket,
}

/// Checks that the server has each of these lifecycles as running.
async fn ensure_open(tasks: &[Task]) -> anyhow::Result<()> {
    for task in tasks {
        let snapshot = task.lifecycle.describe().await?;
        let execution = snapshot.context("no lifecycle")?.execution;
        let is_running = execution == ExecutionStatus::Running;
        ensure!(is_running, "the lifecycle of {} is {execution}", task.id);
    }
    Ok(())
}

fn accounts_file(fixture: &Fixture, account: &str) -> anyhow::Result<NamedTempFile> {
    let accounts = format!(
        "[accounts.{account}]\nbase_url = \"{}\"\napi_key = \"{}\"\n\
         limits.queries_per_second = {QUERIES_PER_SECOND}\n",
        fixture.simulator.base_url(),
        fixture.simulator.api_key()
    );
    let file = tempfile::Builder::new().suffix(".toml").tempfile()?;
    std::fs::write(file.path(), accounts)?;
    Ok(file)
}

impl Fleet<'_> {
    /// Starts a worker of this version or of another program.
    async fn start(&self, program: Option<&Path>) -> anyhow::Result<WorkerProcess> {
        let accounts = self.accounts.path().to_str().context("not UTF-8")?;
        let mut variables = self.bucket.environment();
        variables.push(("SEEDANCE_ACCOUNTS_FILE", accounts));
        variables.push(("SEEDANCE_GRACE_PERIOD", "1s"));
        let (fixture, server) = (&self.fixture, self.server);
        let worker = match program {
            Some(program) => WorkerProcess::start_program(program, fixture, server, &variables)?,
            None => WorkerProcess::start(fixture, server, &variables)?,
        };
        worker.wait_for_log("polling").await?;
        Ok(worker)
    }

    /// Starts lifecycles that stay open: of tasks with a large video, whose download is held, and of tasks that run until the
    /// clock is advanced.
    async fn start_open_lifecycles(&self) -> anyhow::Result<Vec<Task>> {
        let mut tasks = Vec::new();
        for index in 0..LIFECYCLES {
            let script = match index % 10 {
                0 => Script {
                    bytes: Some(LARGE),
                    hold_at: Some(HELD_AT),
                    ..Script::default()
                },
                _ => Script {
                    running: Some(HOUR),
                    ..Script::default()
                },
            };
            tasks.push(self.start_lifecycle(script).await?);
        }
        Ok(tasks)
    }

    async fn start_lifecycle(&self, script: Script) -> anyhow::Result<Task> {
        let is_large = script.hold_at.is_some();
        let id = self.fixture.simulator.create(script);
        let lifecycle =
            sweeps::start_lifecycle(&self.fixture, self.server, &self.account, &id).await?;
        Ok(Task {
            id,
            lifecycle,
            is_large,
        })
    }

    /// Replaces the workers one by one, each while videos are archived. The first one dies, the others are stopped. Returns the
    /// new ones.
    async fn replace(
        &self,
        old: Vec<WorkerProcess>,
        open: &[Task],
        load: &Load,
    ) -> anyhow::Result<Vec<WorkerProcess>> {
        let mut new = Vec::new();
        for (index, mut worker) in old.into_iter().enumerate() {
            new.push(self.start(None).await?);
            load.until_archived().await?;
            if index == 0 {
                ensure_open(open).await?;
            }
            worker.send_signal(match index {
                0 => Signal::KILL,
                _ => Signal::TERM,
            })?;
            worker.wait_for_exit().await?;
        }
        load.until_archived().await?;
        load.is_over.set(true);
        Ok(new)
    }

    /// Archives videos until the fleet is replaced, and returns their tasks.
    async fn archive_meanwhile(&self, load: &Load) -> anyhow::Result<Vec<Task>> {
        let callers = (0..CALLERS).map(|_| self.archive_one_by_one(load));
        let tasks = try_join_all(callers).await?;
        Ok(tasks.into_iter().flatten().collect())
    }

    /// The same as one caller.
    async fn archive_one_by_one(&self, load: &Load) -> anyhow::Result<Vec<Task>> {
        let mut tasks = Vec::new();
        while !load.is_over.get() {
            let task = self.start_lifecycle(Script::default()).await?;
            let result = task.lifecycle.result().await?;
            ensure!(result.outcome == "archived", "{}: {result:?}", task.id);
            load.archived.set(load.archived.get() + 1);
            tasks.push(task);
        }
        Ok(tasks)
    }

    /// Waits until each task was polled, each transfer of a large video was held, and another worker can resume one.
    async fn until_in_progress(&self, tasks: &[Task]) -> anyhow::Result<()> {
        let is_in_progress = |task: &Task| {
            let stats = self.fixture.simulator.stats(&task.id);
            stats.queries > 0 && (!task.is_large || stats.bytes_sent >= HELD_AT)
        };
        until("the tasks are polled and transferred", || {
            tasks.iter().all(is_in_progress)
        })
        .await?;
        until_async("a heartbeat says where to resume", || async {
            for task in tasks.iter().filter(|task| task.is_large) {
                let place = &heartbeat(self.server, &self.account, &task.id).await?["place"];
                if place["done"] == HELD_AT && !place["checkpoint"].is_null() {
                    return Ok(true);
                }
            }
            Ok(false)
        })
        .await
    }

    /// Lets the downloads of large videos go on.
    fn release(&self, tasks: &[Task]) {
        for task in tasks.iter().filter(|task| task.is_large) {
            self.fixture.simulator.release(&task.id);
        }
    }

    /// Waits until the watcher of this version, which the last release did not have, polls for the lifecycles.
    async fn until_watched(&self) -> anyhow::Result<()> {
        let id = names::watcher_workflow_id(&self.account);
        let watcher = self.server.client.get_workflow_handle::<AccountWatcher>(id);
        until_async("the watcher runs", || async {
            let described = watcher.describe(WorkflowDescribeOptions::default()).await;
            let running = WorkflowExecutionStatus::Running;
            Ok(described.is_ok_and(|it| it.status() == running))
        })
        .await
    }

    /// Checks that each video is archived once, and that transfers of the old fleet were resumed.
    async fn ensure_archived(&self, tasks: &[Task]) -> anyhow::Result<()> {
        let mut fetched_again = Vec::new();
        for task in tasks {
            let Task {
                id,
                lifecycle,
                is_large,
            } = task;
            let result = lifecycle.result().await?;
            ensure!(result.outcome == "archived", "{id}: {result:?}");
            let manifest = result.manifest.context("no receipt")?;
            let video = manifest.objects.first().context("no object")?;
            let source = self.fixture.simulator.source(id).context("no source")?;
            let is_equal = self.bucket.read(&video.url).await? == source.bytes();
            ensure!(is_equal, "the archived bytes of {id} differ");
            if *is_large {
                fetched_again.push(manifest.bytes_fetched_again as u64);
            }
        }
        // From its beginning, it would be all of it.
        let is_resumed = |again: &u64| (1..HELD_AT).contains(again);
        ensure!(
            fetched_again.iter().any(is_resumed),
            "no transfer was resumed: {fetched_again:?}"
        );
        let keys = self.bucket.keys().await?;
        for name in ["manifest.json", "video.mp4"] {
            let found = keys.iter().filter(|key| key.ends_with(name)).count();
            ensure!(found == tasks.len(), "{found} times {name}: {keys:?}");
        }
        Ok(())
    }
}
