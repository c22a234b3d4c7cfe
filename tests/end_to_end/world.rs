//! What a test works with: a simulator, an archive, task queues of its own and workers on them.

use std::{
    path::Path,
    process::Stdio,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use anyhow::{Context, anyhow, ensure};
use jiff::Timestamp;
use reqwest::Url;
use seedance_archiver::{
    config::{Account, Accounts, Config},
    dev_server::DevServer,
    temporal::lifecycles::{self, Lifecycle},
    worker::Worker,
};
use seedance_archiver_proto::{
    names,
    v1::{Manifest, OutcomeRecord, VideoTask, VideoTaskLifecycleRequest, VideoTaskLifecycleResult},
};
use seedance_archiver_simulator::{Builder, Script, Simulator};
use seedance_archiver_workflows::VideoTaskLifecycle;
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use temporalio_client::{
    Client, ClientOptions, WorkflowCountOptions, WorkflowDescribeOptions, WorkflowHandle,
    tonic::{Code, IntoRequest},
};
use temporalio_common::protos::temporal::api::workflowservice::v1::RegisterNamespaceRequest;
use temporalio_sdk::Runtime;
use tokio::process::{Child, Command};

use crate::schema;
pub(crate) use crate::until::{until, until_async};

/// The Temporal server of the whole run.
pub(crate) struct Server {
    pub(crate) client: Client,
    pub(crate) address: String,
    pub(crate) ui_url: String,
    pub(crate) runtime: Runtime,
    names: AtomicU32,
}

impl Server {
    pub(crate) fn new(server: &DevServer) -> anyhow::Result<Self> {
        Ok(Self {
            client: server.client.clone(),
            address: server.address.clone(),
            ui_url: server.ui_url.clone().context("the server has no UI")?,
            runtime: Runtime::from_current_tokio(Default::default())?,
            names: AtomicU32::new(0),
        })
    }

    /// The same server by another client.
    pub(crate) fn with_client(&self, client: Client) -> anyhow::Result<Self> {
        Ok(Self {
            client,
            address: self.address.clone(),
            ui_url: self.ui_url.clone(),
            runtime: Runtime::from_current_tokio(Default::default())?,
            names: AtomicU32::new(0),
        })
    }

    /// The same server with a namespace that nothing else uses.
    pub(crate) async fn in_namespace(&self) -> anyhow::Result<Self> {
        let name = self.unique("namespace");
        let request = RegisterNamespaceRequest {
            namespace: name.clone(),
            workflow_execution_retention_period: Duration::from_secs(24 * 3600).try_into().ok(),
            ..RegisterNamespaceRequest::default()
        };
        let connection = self.client.connection().clone();
        let mut service = connection.workflow_service();
        service.register_namespace(request.into_request()).await?;
        let client = Client::new(connection, ClientOptions::new(name).build())?;
        // The server needs a moment to know its namespace.
        until_async("the namespace can be used", || async {
            let options = WorkflowCountOptions::default();
            match client.count_workflows("", options).await {
                Ok(count) => Ok(count.count() == 0),
                Err(error) => {
                    let is_new = format!("{error:?}").contains(&format!("{:?}", Code::NotFound));
                    ensure!(is_new, "{error}");
                    Ok(false)
                }
            }
        })
        .await?;
        self.with_client(client)
    }

    /// The lifecycle of a task, as any client sees it.
    pub(crate) fn lifecycle(&self, task_id: &str) -> WorkflowHandle<Client, VideoTaskLifecycle> {
        self.client
            .get_workflow_handle(names::lifecycle_workflow_id("", task_id))
    }

    /// The run of a lifecycle that is the latest.
    pub(crate) async fn run_id(&self, task_id: &str) -> anyhow::Result<String> {
        let lifecycle = self.lifecycle(task_id);
        let description = lifecycle.describe(WorkflowDescribeOptions::default());
        Ok(description.await?.run_id().to_owned())
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
        Self::with(server, |simulator| simulator, |_| {}).await
    }

    pub(crate) async fn with(
        server: &Server,
        simulator: impl FnOnce(Builder) -> Builder,
        change: impl FnOnce(&mut Account),
    ) -> anyhow::Result<Self> {
        let moment = Duration::from_millis(500);
        let simulator = simulator(Simulator::builder().queued(moment).running(moment));
        let simulator = simulator.start().await?;
        let directory = tempfile::tempdir()?;
        let mut account = Account::new(
            "default",
            simulator.base_url().parse()?,
            simulator.api_key().to_owned().into(),
        );
        account.schedule.min_interval = Duration::from_millis(200);
        change(&mut account);
        let config = Config {
            accounts: Accounts::from_iter([account]),
            archive_url: Url::from_directory_path(directory.path())
                .map_err(|()| anyhow!("no URL for the directory"))?,
            task_queue: server.unique("test"),
            ingress_address: None,
            operations: Default::default(),
        };
        Ok(Self {
            simulator,
            config,
            directory,
        })
    }

    /// Changes the account for workers that start from now on.
    pub(crate) fn change_account(
        &mut self,
        change: impl FnOnce(&mut Account),
    ) -> anyhow::Result<()> {
        let mut account = Account::clone(&*self.config.accounts.get("")?);
        change(&mut account);
        self.config.accounts = Accounts::from_iter([account]);
        Ok(())
    }

    /// Runs `work` beside a worker of this world.
    pub(crate) async fn with_worker<T>(
        &self,
        server: &Server,
        work: impl Future<Output = anyhow::Result<T>>,
    ) -> anyhow::Result<T> {
        let worker = Worker::new(&server.runtime, &server.client, &self.config).await?;
        worker.run_during(work).await?
    }

    /// Starts the lifecycle of a task.
    pub(crate) async fn start(&self, server: &Server, task_id: &str) -> anyhow::Result<Lifecycle> {
        let request = VideoTaskLifecycleRequest {
            task_id: task_id.to_owned(),
            ..Default::default()
        };
        self.start_with(server, request).await
    }

    /// Starts a lifecycle.
    pub(crate) async fn start_with(
        &self,
        server: &Server,
        request: VideoTaskLifecycleRequest,
    ) -> anyhow::Result<Lifecycle> {
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
        self.spawn_worker_with(server, &[])
    }

    /// The same with more in its environment.
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

    /// Checks that the archive holds the video that was made and its receipt, and nothing else but
    /// what killed workers have staged.
    pub(crate) fn holds_exactly(&self, id: &str, manifest: &Manifest) -> anyhow::Result<()> {
        self.holds_all(&[(id, manifest)])
    }

    /// The same of several videos.
    pub(crate) fn holds_all(&self, videos: &[(&str, &Manifest)]) -> anyhow::Result<()> {
        let mut expected = Vec::new();
        for (id, manifest) in videos {
            self.holds_video(id, manifest)?;
            let created = Timestamp::from_second(manifest.task_created_at)?;
            let folder = format!("default/{}/{id}", created.strftime("%Y/%m/%d"));
            let names = ["manifest.json", "task.json", "video.mp4"];
            expected.extend(names.map(|file| format!("{folder}/{file}")));
        }
        expected.sort();
        let mut files = self.archived_files()?;
        files.retain(|file| !file.starts_with(".staging/"));
        ensure!(files == expected, "{files:?}");
        Ok(())
    }

    /// Whether what a receipt names is the video that was made.
    fn holds_video(&self, id: &str, manifest: &Manifest) -> anyhow::Result<()> {
        let made = self.simulator.source(id).context("no source")?.bytes();
        let object = manifest.objects.first().context("no object")?;
        ensure!(
            read_local(&object.url)? == made,
            "the archived bytes are not those that were made"
        );
        ensure!(object.size_bytes == made.len() as i64, "{object:?}");
        let sha256 = hex::encode(Sha256::digest(&made));
        ensure!(object.sha256 == sha256, "{object:?}");
        let json = read_local(&manifest.manifest_url)?;
        schema::check_manifest(&json)?;
        let stored: Manifest = serde_json::from_slice(&json)?;
        ensure!(stored == *manifest, "the stored receipt is another one");
        Ok(())
    }

    /// Checks that the archive holds the record of an ending without a video, and nothing else.
    pub(crate) fn holds_outcome(&self, result: &VideoTaskLifecycleResult) -> anyhow::Result<()> {
        let task = result.task.as_ref().context("the task is forgotten")?;
        let created = Timestamp::from_second(task.created_at)?;
        let folder = format!("default/{}/{}", created.strftime("%Y/%m/%d"), task.id);
        let files = self.archived_files()?;
        let expected = ["outcome.json", "task.json"].map(|file| format!("{folder}/{file}"));
        ensure!(files == expected, "{files:?}");

        let [outcome, stored] =
            expected.map(|file| std::fs::read(self.directory.path().join(file)));
        let outcome = outcome?;
        schema::check_outcome(&outcome)?;
        let outcome: OutcomeRecord = serde_json::from_slice(&outcome)?;
        let told = (&outcome.outcome, &outcome.reason, &outcome.message);
        ensure!(
            told == (&result.outcome, &result.reason, &result.message),
            "{outcome:?}"
        );
        let stored = String::from_utf8(stored?)?;
        let record: VideoTask = serde_json::from_str(&stored)?;
        ensure!(
            record.id == task.id && !record.status.is_empty(),
            "{stored}"
        );
        ensure!(
            !stored.contains("sealed:") && !stored.contains("Signature"),
            "{stored}"
        );
        Ok(())
    }

    /// Where in the archive the receipt of a task is. `None`: it has none.
    pub(crate) fn receipt_of(&self, id: &str) -> Option<String> {
        let files = self.archived_files().ok()?;
        let end = format!("/{id}/manifest.json");
        files.into_iter().find(|file| file.ends_with(&end))
    }

    /// Every file in the archive, as a sorted list of paths.
    pub(crate) fn archived_files(&self) -> anyhow::Result<Vec<String>> {
        let mut files = Vec::new();
        collect(self.directory.path(), self.directory.path(), &mut files)?;
        files.sort();
        Ok(files)
    }

    /// Takes every file out of the archive, as a person may.
    pub(crate) fn empty_archive(&self) -> anyhow::Result<()> {
        for file in self.archived_files()? {
            std::fs::remove_file(self.directory.path().join(file))?;
        }
        Ok(())
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

/// The bytes of an object in a local archive.
pub(crate) fn read_local(url: &str) -> anyhow::Result<Vec<u8>> {
    let path = url.strip_prefix("file://").context("not a local URL")?;
    std::fs::read(path).with_context(|| format!("cannot read {path}"))
}

/// The binary, without the configuration of whoever runs the tests.
pub(crate) fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_seedance-archiver"));
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        let is_ours = name.starts_with("SEEDANCE_") && name != "SEEDANCE_TEMPORAL_CLI";
        if is_ours || name.starts_with("TEMPORAL_") || name.starts_with("AWS_") {
            command.env_remove(name);
        }
    }
    command.env("TEMPORAL_CONFIG_FILE", "/dev/null");
    command
}

/// Checks that a queued task which was seen is not given up for a 404, although `cut_short` ends the
/// question that saw it.
pub(crate) async fn outlives_a_404(
    server: &Server,
    cut_short: impl AsyncFnOnce(&str) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let grace =
        |account: &mut Account| account.schedule.not_found_grace = Duration::from_millis(500);
    let world = World::with(server, |simulator| simulator, grace).await?;
    let id = world.simulator.create(Script {
        queued: Some(Duration::from_secs(6)),
        ..Script::default()
    });
    let queries = || world.simulator.stats(&id).queries;
    let result = world
        .with_worker(server, async {
            let lifecycle = world.start(server, &id).await?;
            until("it was asked about", || queries() >= 1).await?;
            world.simulator.set_hidden(&id, true);
            cut_short(&id).await?;
            let before = queries();
            until("the grace is long over", || queries() > before + 8).await?;
            world.simulator.set_hidden(&id, false);
            Ok(lifecycle.result().await?)
        })
        .await?;
    ensure!(result.outcome == "archived", "{result:?}");
    Ok(())
}
