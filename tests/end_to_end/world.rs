//! What a test works with: a simulator, an archive, task queues of its own and workers on them.

use std::{
    path::Path,
    process::Stdio,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use anyhow::{Context, anyhow};
use reqwest::Url;
use seedance_archiver::{
    config::{Account, Accounts, Config},
    dev_server::DevServer,
    lifecycles::{self, Lifecycle},
    worker::Worker,
};
use seedance_archiver_proto::v1::{VideoTaskLifecycleRequest, VideoTaskLifecycleResult};
use seedance_archiver_simulator::{Builder, Simulator};
use seedance_archiver_workflows::question::Pace;
use tempfile::TempDir;
use temporalio_client::Client;
use temporalio_sdk::Runtime;
use tokio::process::Child;

/// The Temporal server of the whole run.
pub(crate) struct Server {
    pub(crate) client: Client,
    pub(crate) address: String,
    pub(crate) runtime: Runtime,
    names: AtomicU32,
}

impl Server {
    pub(crate) fn new(server: &DevServer) -> anyhow::Result<Self> {
        Ok(Self {
            client: server.client.clone(),
            address: server.address.clone(),
            runtime: Runtime::from_current_tokio(Default::default())?,
            names: AtomicU32::new(0),
        })
    }

    /// A name that nothing else on the server has.
    pub(crate) fn unique(&self, kind: &str) -> String {
        format!("{kind}-{}", self.names.fetch_add(1, Ordering::Relaxed))
    }
}

/// The world of one test.
pub(crate) struct World {
    pub(crate) simulator: Simulator,
    pub(crate) config: Config,
    pub(crate) directory: TempDir,
}

impl World {
    /// A world whose tasks are queued and run for moments, and are asked about as often.
    pub(crate) async fn new(server: &Server) -> anyhow::Result<Self> {
        Self::with(server, |simulator| simulator, |pace| pace).await
    }

    pub(crate) async fn with(
        server: &Server,
        simulator: impl FnOnce(Builder) -> Builder,
        pace: impl FnOnce(Pace) -> Pace,
    ) -> anyhow::Result<Self> {
        let moment = Duration::from_millis(500);
        let simulator = simulator(Simulator::builder().queued(moment).running(moment));
        let simulator = simulator.start().await?;
        let directory = tempfile::tempdir()?;
        let account = Account::new(
            "default",
            simulator.base_url().parse()?,
            simulator.api_key().to_owned().into(),
        );
        let account = Account {
            pace: pace(Pace {
                shortest: Duration::from_millis(200),
                ..Pace::default()
            }),
            ..account
        };
        let config = Config {
            accounts: Accounts::from_iter([account]),
            archive_url: Url::from_directory_path(directory.path())
                .map_err(|()| anyhow!("no URL for the directory"))?,
            task_queue: server.unique("test"),
        };
        Ok(Self {
            simulator,
            config,
            directory,
        })
    }

    /// Runs `work` beside a worker of this world.
    pub(crate) async fn with_worker<T>(
        &self,
        server: &Server,
        work: impl Future<Output = anyhow::Result<T>>,
    ) -> anyhow::Result<T> {
        let worker = Worker::new(&server.runtime, &server.client, &self.config)?;
        worker.run_during(work).await?
    }

    /// Starts the lifecycle of a task.
    pub(crate) async fn start(&self, server: &Server, task_id: &str) -> anyhow::Result<Lifecycle> {
        let request = VideoTaskLifecycleRequest {
            task_id: task_id.to_owned(),
            ..Default::default()
        };
        Ok(lifecycles::start(&server.client, &self.config.task_queue, request).await?)
    }

    /// The lifecycle of a task, from its start to its result, beside a worker.
    pub(crate) async fn run(
        &self,
        server: &Server,
        task_id: &str,
    ) -> anyhow::Result<VideoTaskLifecycleResult> {
        self.with_worker(server, async {
            Ok(self.start(server, task_id).await?.result().await?)
        })
        .await
    }

    /// Starts the binary as a worker of this world, in a process of its own.
    pub(crate) fn spawn_worker(&self, server: &Server) -> anyhow::Result<Child> {
        command()
            .arg("worker")
            .env("TEMPORAL_ADDRESS", &server.address)
            .env("TEMPORAL_TASK_QUEUE", &self.config.task_queue)
            .env("SEEDANCE_BASE_URL", self.simulator.base_url())
            .env("SEEDANCE_API_KEY", self.simulator.api_key())
            .env("SEEDANCE_ARCHIVE_URL", self.config.archive_url.as_str())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .context("cannot start the worker")
    }

    /// Every file in the archive, as a sorted list of paths.
    pub(crate) fn archived_files(&self) -> anyhow::Result<Vec<String>> {
        let mut files = Vec::new();
        collect(self.directory.path(), self.directory.path(), &mut files)?;
        files.sort();
        Ok(files)
    }
}

fn collect(root: &Path, directory: &Path, files: &mut Vec<String>) -> anyhow::Result<()> {
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(root, &path, files)?;
        } else {
            files.push(path.strip_prefix(root)?.display().to_string());
        }
    }
    Ok(())
}

/// The binary, without the configuration of whoever runs the tests.
pub(crate) fn command() -> tokio::process::Command {
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_seedance-archiver"));
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        let is_ours = name.starts_with("SEEDANCE_") && name != "SEEDANCE_TEMPORAL_CLI";
        if is_ours || name.starts_with("TEMPORAL_") || name.starts_with("AWS_") {
            command.env_remove(name);
        }
    }
    command
}

/// Waits until `condition` holds.
pub(crate) async fn until(what: &str, mut condition: impl FnMut() -> bool) -> anyhow::Result<()> {
    let wait = async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), wait)
        .await
        .map_err(|_| anyhow!("waited 60 s in vain until {what}"))
}
