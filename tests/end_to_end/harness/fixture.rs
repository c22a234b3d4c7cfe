//! Fixtures: a simulator, a local archive and task queues for each test.

use std::{
    process::Stdio,
    time::{Duration, SystemTime},
};

use anyhow::{Context, anyhow};
use reqwest::Url;
use seedance_archiver::{
    archive::Destinations,
    config::{Account, Accounts, Config},
    temporal::lifecycles::{self, Lifecycle},
    worker::Worker,
};
use seedance_archiver_clock::Clock;
use seedance_archiver_proto::v1::{VideoTaskLifecycleRequest, VideoTaskLifecycleResult};
use seedance_archiver_simulator::Builder;
use tempfile::TempDir;
use tokio::process::Child;

use super::{
    command::command, simulator::TestSimulator, temporal_server::Server, worker_log::WorkerLog,
};
use crate::until::until;

const SECOND: Duration = Duration::from_secs(1);
pub(crate) const HOUR: Duration = Duration::from_secs(60 * 60);
pub(crate) const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// Interval between two polls of a task. It does not grow with the age of a task, because a test that advances the clock
/// must not wait for the next poll of a task that is then days old.
const POLL_INTERVAL: Duration = Duration::from_millis(200);
/// How long the URL of a video works, at most.
pub(crate) const URL_LIFETIME: Duration = Duration::from_secs(14 * 24 * 60 * 60);
/// How long after its creation a task can be queried.
pub(crate) const QUERY_WINDOW: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// The fixture of one test. Its account is called `default`.
pub(crate) struct Fixture {
    pub(crate) simulator: TestSimulator,
    pub(crate) config: Config,
    /// The clock of the simulator and of workers in this process.
    pub(crate) clock: Clock,
    /// The archive.
    pub(crate) directory: TempDir,
    worker_log: WorkerLog,
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

    /// Returns a fixture with a changed simulator and a changed account.
    pub(crate) async fn with(
        server: &Server,
        simulator: impl FnOnce(Builder) -> Builder,
        change: impl FnOnce(&mut Account),
    ) -> anyhow::Result<Self> {
        Self::with_clock(Clock::default(), server, simulator, change).await
    }

    /// Returns a fixture whose clock is behind the system's clock, which commands and worker processes use.
    pub(crate) async fn behind(server: &Server, by: Duration) -> anyhow::Result<Self> {
        let clock = Clock::behind(by);
        Self::with_clock(clock, server, |simulator| simulator, |_| {}).await
    }

    async fn with_clock(
        clock: Clock,
        server: &Server,
        simulator: impl FnOnce(Builder) -> Builder,
        change: impl FnOnce(&mut Account),
    ) -> anyhow::Result<Self> {
        let simulator = TestSimulator::start(&clock, simulator).await?;
        let directory = tempfile::tempdir()?;
        let mut account = Account::new(
            "default",
            simulator.base_url().parse()?,
            simulator.api_key().to_owned().into(),
        );
        account.schedule.min_interval = POLL_INTERVAL;
        account.schedule.max_interval = POLL_INTERVAL;
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
            clock,
            directory,
            worker_log: WorkerLog::new()?,
        })
    }

    /// Changes the account. Workers that run already keep it as it was.
    pub(crate) fn change_account(
        &mut self,
        change: impl FnOnce(&mut Account),
    ) -> anyhow::Result<()> {
        let account = self.config.accounts.iter().next();
        let mut account = Account::clone(account.context("no account")?);
        change(&mut account);
        self.config.accounts = Accounts::from([account]);
        Ok(())
    }

    /// Allows a destination below the archive URL, and returns its URL.
    pub(crate) fn allow_destination(&mut self, name: &str) -> anyhow::Result<Url> {
        let url = self.config.archive_url.join(name)?;
        let allowed = Destinations::parse(&[url.as_str()]).map_err(|problem| anyhow!(problem))?;
        self.change_account(|account| account.archive.destinations = allowed)?;
        Ok(url)
    }

    /// Runs a worker in this process until `work` completes.
    pub(crate) async fn with_worker<T>(
        &self,
        server: &Server,
        work: impl Future<Output = anyhow::Result<T>>,
    ) -> anyhow::Result<T> {
        self.worker(server).await?.run_during(work).await?
    }

    /// Creates a worker in this process.
    pub(crate) async fn worker<'a>(&self, server: &'a Server) -> anyhow::Result<Worker<'a>> {
        let (runtime, client) = (&server.runtime, &server.client);
        let clock = self.clock.clone();
        Ok(Worker::with_clock(runtime, client, &self.config, clock).await?)
    }

    /// Advances the clock.
    pub(crate) async fn advance_clock(&self, by: Duration) {
        // Temporal and callers state some times to the second only, by the system's clock. In a new second, those from before the
        // advance differ from those after it. No advance of this clock begins one, so it is waited for.
        let since_epoch = Clock::default()
            .now()
            .duration_since(SystemTime::UNIX_EPOCH);
        let since_epoch = since_epoch.unwrap_or_default();
        let until_next_second = SECOND - Duration::from_nanos(since_epoch.subsec_nanos().into());
        tokio::time::sleep(until_next_second).await;
        self.clock.advance(by).await;
    }

    /// Releases the held download of a task whose worker was stopped, once the simulator has noticed the closed
    /// connection. Otherwise it would send more bytes to the stopped worker.
    pub(crate) async fn release_stopped_download(&self, task_id: &str) -> anyhow::Result<()> {
        until("the connection is closed", || {
            self.simulator.stats(task_id).open_downloads == 0
        })
        .await?;
        self.simulator.release(task_id);
        Ok(())
    }

    /// Returns how long a 404 must last before a task without any record counts as non-existent.
    pub(crate) fn not_found_grace(&self) -> anyhow::Result<Duration> {
        Ok(self.config.accounts.get("")?.schedule.not_found_grace)
    }

    /// Waits until a task was polled `polls` more times, and the worker has handled the responses.
    pub(crate) async fn polled(&self, task_id: &str, polls: u64) -> anyhow::Result<()> {
        let queries = || self.simulator.stats(task_id).queries;
        // A poll starts after the response to the previous one was handled.
        let enough = queries() + polls + 1;
        until("the task was polled", || queries() >= enough).await
    }

    /// Advances the clock until the archive deadlines of all tasks have passed: no task can be queried, and no URL works.
    pub(crate) async fn pass_archive_deadline(&self) {
        self.advance_clock(URL_LIFETIME).await;
    }

    /// Advances the clock until tasks are queried for the last time: their query windows are about to close.
    pub(crate) async fn approach_end_of_query_window(&self) -> anyhow::Result<()> {
        let margin = self.config.accounts.get("")?.windows.margin;
        self.advance_clock(QUERY_WINDOW - margin).await;
        Ok(())
    }

    /// Advances the clock until the query windows of all tasks have closed.
    pub(crate) async fn close_query_window(&self) {
        self.advance_clock(QUERY_WINDOW).await;
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
            .envs(server.environment())
            .env("TEMPORAL_TASK_QUEUE", &self.config.task_queue)
            .env("SEEDANCE_BASE_URL", self.simulator.base_url())
            .env("SEEDANCE_API_KEY", self.simulator.api_key())
            .env("SEEDANCE_ARCHIVE_URL", self.config.archive_url.as_str())
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(self.worker_log.writer()?)
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
