//! Fixtures: a simulator, a local archive and task queues for each test.

use std::{process::Stdio, time::Duration};

use anyhow::{Context, anyhow};
use reqwest::Url;
use seedance_archiver::{
    config::{Account, Accounts, Config},
    temporal::lifecycles::{self, Lifecycle},
    worker::Worker,
};
use seedance_archiver_proto::v1::{VideoTaskLifecycleRequest, VideoTaskLifecycleResult};
use seedance_archiver_simulator::{Builder, Simulator};
use tempfile::TempDir;
use tokio::process::Child;

use super::{command::command, temporal_server::Server};

/// How long a task is queued, and then running, unless its script says otherwise.
const STATUS_DURATION: Duration = Duration::from_millis(500);
/// Minimum interval between two polls of a task.
const MIN_POLL_INTERVAL: Duration = Duration::from_millis(200);

/// The fixture of one test. Its account is called `default`.
pub(crate) struct Fixture {
    pub(crate) simulator: Simulator,
    pub(crate) config: Config,
    /// The archive.
    pub(crate) directory: TempDir,
}

impl Fixture {
    pub(crate) async fn new(server: &Server) -> anyhow::Result<Self> {
        Self::with_account(server, |_| {}).await
    }

    /// Returns a fixture with a changed account.
    pub(crate) async fn with_account(
        server: &Server,
        change: impl FnOnce(&mut Account),
    ) -> anyhow::Result<Self> {
        Self::with(server, |simulator| simulator, change).await
    }

    /// Returns a fixture whose query window closes after 8 s and whose URLs work for 6 s.
    pub(crate) async fn with_short_windows(server: &Server) -> anyhow::Result<Self> {
        Self::with_account(server, |account| {
            account.windows.query_window = Duration::from_secs(8);
            account.windows.margin = Duration::from_secs(2);
            account.windows.url_lifetime = Duration::from_secs(6);
        })
        .await
    }

    /// Returns a fixture with a changed simulator and a changed account.
    pub(crate) async fn with(
        server: &Server,
        simulator: impl FnOnce(Builder) -> Builder,
        change: impl FnOnce(&mut Account),
    ) -> anyhow::Result<Self> {
        let builder = Simulator::builder()
            .queued(STATUS_DURATION)
            .running(STATUS_DURATION);
        let simulator = simulator(builder).start().await?;
        let directory = tempfile::tempdir()?;
        let mut account = Account::new(
            "default",
            simulator.base_url().parse()?,
            simulator.api_key().to_owned().into(),
        );
        account.schedule.min_interval = MIN_POLL_INTERVAL;
        change(&mut account);
        let config = Config {
            accounts: Accounts::from_iter([account]),
            archive_url: Url::from_directory_path(directory.path())
                .map_err(|()| anyhow!("the directory has no file URL"))?,
            task_queue: server.unique_name("test"),
            ingress_address: None,
            worker: Default::default(),
        };
        Ok(Self {
            simulator,
            config,
            directory,
        })
    }

    /// Changes the account for workers that start later.
    pub(crate) fn change_account(
        &mut self,
        change: impl FnOnce(&mut Account),
    ) -> anyhow::Result<()> {
        let mut account = Account::clone(&*self.config.accounts.get("")?);
        change(&mut account);
        self.config.accounts = Accounts::from_iter([account]);
        Ok(())
    }

    /// Runs a worker in this process until `work` completes.
    pub(crate) async fn with_worker<T>(
        &self,
        server: &Server,
        work: impl Future<Output = anyhow::Result<T>>,
    ) -> anyhow::Result<T> {
        let worker = Worker::new(&server.runtime, &server.client, &self.config).await?;
        worker.run_during(work).await?
    }

    /// Starts the lifecycle of a task.
    pub(crate) async fn start_lifecycle(
        &self,
        server: &Server,
        task_id: &str,
    ) -> anyhow::Result<Lifecycle> {
        let request = VideoTaskLifecycleRequest {
            task_id: task_id.to_owned(),
            ..Default::default()
        };
        self.start_lifecycle_with(server, request).await
    }

    /// Starts the lifecycle that a request describes.
    pub(crate) async fn start_lifecycle_with(
        &self,
        server: &Server,
        request: VideoTaskLifecycleRequest,
    ) -> anyhow::Result<Lifecycle> {
        Ok(lifecycles::start(&server.client, &self.config.task_queue, request).await?)
    }

    /// Runs the lifecycle of a task to its end, with a worker in this process.
    pub(crate) async fn run_lifecycle(
        &self,
        server: &Server,
        task_id: &str,
    ) -> anyhow::Result<VideoTaskLifecycleResult> {
        self.with_worker(server, async {
            Ok(self
                .start_lifecycle(server, task_id)
                .await?
                .result()
                .await?)
        })
        .await
    }

    /// Starts a worker process.
    pub(crate) fn spawn_worker(&self, server: &Server) -> anyhow::Result<Child> {
        self.spawn_worker_with(server, &[])
    }

    /// Starts a worker process with additional environment variables.
    pub(crate) fn spawn_worker_with(
        &self,
        server: &Server,
        variables: &[(&str, &str)],
    ) -> anyhow::Result<Child> {
        command()
            .arg("worker")
            .env("TEMPORAL_ADDRESS", &server.address)
            .env("TEMPORAL_TASK_QUEUE", &self.config.task_queue)
            .env("SEEDANCE_BASE_URL", self.simulator.base_url())
            .env("SEEDANCE_API_KEY", self.simulator.api_key())
            .env("SEEDANCE_ARCHIVE_URL", self.config.archive_url.as_str())
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .context("cannot start the worker")
    }
}

/// Reads an object of a local archive.
pub(crate) fn read_local(url: &str) -> anyhow::Result<Vec<u8>> {
    let path = url.strip_prefix("file://").context("not a local URL")?;
    std::fs::read(path).with_context(|| format!("cannot read {path}"))
}
