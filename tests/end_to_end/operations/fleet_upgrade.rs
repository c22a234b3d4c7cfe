//! A fleet of the last release is replaced by this version while lifecycles run.

use std::{path::Path, sync::Arc};

use anyhow::{Context, ensure};
use seedance_archiver::temporal::lifecycles::Lifecycle;
use seedance_archiver_proto::{names, v1::Manifest};
use seedance_archiver_simulator::Script;
use seedance_archiver_workflows::AccountWatcher;
use tempfile::TempDir;
use temporalio_client::WorkflowDescribeOptions;

use super::process::WorkerProcess;
use crate::harness::{
    Fixture, HOUR, Server, read_local, register, sweeps, tools, until, until_async,
};

/// Number of workers.
const FLEET: usize = 2;
/// Number of lifecycles that the old fleet starts.
const LIFECYCLES: usize = 100;
/// Number of lifecycles that start while workers are replaced, for each of them.
const LIFECYCLES_MEANWHILE: usize = 10;

async fn a_fleet_of_the_last_release_is_replaced_under_load(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let (fixture, account) = sweeps::fixture(&server, |_| {}).await?;
    let fleet = Fleet::new(&server, fixture, account)?;
    let released = tools::released_worker()?;
    let mut old = Vec::new();
    for _ in 0..FLEET {
        old.push(fleet.start(Some(&released)).await?);
    }
    let mut lifecycles = fleet.start_lifecycles(LIFECYCLES).await?;
    fleet.until_each_was_polled(&lifecycles).await?;
    let mut new = Vec::new();
    for mut worker in old {
        lifecycles.extend(fleet.start_lifecycles(LIFECYCLES_MEANWHILE).await?);
        new.push(fleet.start(None).await?);
        let exit = worker.stop().await?;
        ensure!(exit.success(), "{exit}: {}", worker.log().join("\n"));
    }
    fleet.until_watched().await?;
    fleet.fixture.advance_clock(HOUR).await;
    for (id, lifecycle) in &lifecycles {
        let result = lifecycle.result().await?;
        ensure!(result.outcome == "archived", "{id}: {result:?}");
        fleet.ensure_archived(id, &result.manifest.context("no receipt")?)?;
    }
    fleet.ensure_one_of_each(lifecycles.len())
}
register!(
    a_fleet_of_the_last_release_is_replaced_under_load,
    needs = [released_worker],
    takes_long
);

/// What the workers of a fleet share.
struct Fleet<'a> {
    server: &'a Server,
    fixture: Fixture,
    account: String,
    /// Directory of the accounts file.
    configuration: TempDir,
}

impl<'a> Fleet<'a> {
    fn new(server: &'a Server, fixture: Fixture, account: String) -> anyhow::Result<Self> {
        let configuration = tempfile::tempdir()?;
        let accounts = format!(
            "[accounts.{account}]\nbase_url = \"{}\"\napi_key = \"{}\"\n",
            fixture.simulator.base_url(),
            fixture.simulator.api_key()
        );
        std::fs::write(configuration.path().join("accounts.toml"), accounts)?;
        Ok(Self {
            server,
            fixture,
            account,
            configuration,
        })
    }

    /// Starts a worker of this version or of another program.
    async fn start(&self, program: Option<&Path>) -> anyhow::Result<WorkerProcess> {
        let accounts = self.configuration.path().join("accounts.toml");
        let accounts = accounts.to_str().context("not UTF-8")?;
        let variables = [("SEEDANCE_ACCOUNTS_FILE", accounts)];
        let worker = match program {
            Some(program) => {
                WorkerProcess::start_program(program, &self.fixture, self.server, &variables)?
            }
            None => WorkerProcess::start(&self.fixture, self.server, &variables)?,
        };
        worker.wait_for_log("polling").await?;
        Ok(worker)
    }

    /// Starts lifecycles of tasks that have just ended, that are transferred slowly, or that run until the clock is
    /// advanced.
    async fn start_lifecycles(&self, count: usize) -> anyhow::Result<Vec<(String, Lifecycle)>> {
        let mut lifecycles = Vec::new();
        for index in 0..count {
            let script = match index % 3 {
                0 => Script::default(),
                1 => Script {
                    bytes: Some(2_000_000),
                    bytes_per_second: Some(100_000),
                    ..Script::default()
                },
                _ => Script {
                    running: Some(HOUR),
                    ..Script::default()
                },
            };
            let id = self.fixture.simulator.create(script);
            let lifecycle =
                sweeps::start_lifecycle(&self.fixture, self.server, &self.account, &id).await?;
            lifecycles.push((id, lifecycle));
        }
        Ok(lifecycles)
    }

    async fn until_each_was_polled(
        &self,
        lifecycles: &[(String, Lifecycle)],
    ) -> anyhow::Result<()> {
        let was_polled = |id: &String| self.fixture.simulator.stats(id).queries > 0;
        until("each task was polled", || {
            lifecycles.iter().all(|(id, _)| was_polled(id))
        })
        .await
    }

    /// Waits until the watcher of this version, which the last release did not have, polls for the lifecycles.
    async fn until_watched(&self) -> anyhow::Result<()> {
        let id = names::watcher_workflow_id(&self.account);
        let watcher = self.server.client.get_workflow_handle::<AccountWatcher>(id);
        until_async("the watcher has started", || async {
            let described = watcher.describe(WorkflowDescribeOptions::default()).await;
            Ok(described.is_ok())
        })
        .await
    }

    fn ensure_archived(&self, id: &str, manifest: &Manifest) -> anyhow::Result<()> {
        let source = self.fixture.simulator.source(id).context("no source")?;
        let video = manifest.objects.first().context("no object")?;
        let is_equal = read_local(&video.url)? == source.bytes();
        ensure!(is_equal, "the archived bytes of {id} differ");
        Ok(())
    }

    /// Checks that no video was archived twice.
    fn ensure_one_of_each(&self, count: usize) -> anyhow::Result<()> {
        let files = self.fixture.archived_files()?;
        for name in ["manifest.json", "video.mp4"] {
            let found = files.iter().filter(|file| file.ends_with(name)).count();
            ensure!(found == count, "{found} times {name}, {count} tasks");
        }
        Ok(())
    }
}
