//! What transfers need: a Temporal server, the API, a host of videos, stores and workers.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    time::Duration,
};

use anyhow::Context;
use seedance_archiver_simulator::{Script, Simulator};
use tempfile::TempDir;

use super::{
    certificate::Certificate,
    host::Host,
    store::{Store, StoreKind},
    video::Video,
};
use crate::{
    archiver::{self, PATH_WITHOUT_LIST, remove_variables},
    process::Process,
    server::{Server, ServerKind},
    usage,
};

/// What runs while a part is measured. It is stopped and removed in this order.
pub(super) struct Testbed {
    pub(super) server: Server,
    simulator: Simulator,
    pub(super) host: Host,
    pub(super) certificate: Certificate,
    program: PathBuf,
    mp4: Vec<u8>,
    directory: TempDir,
}

/// A worker process.
pub(super) struct Worker {
    pub(super) process: Process,
    /// Resident memory before the first transfer.
    idle_bytes: u64,
}

impl Testbed {
    pub(super) async fn start(program: &Path) -> anyhow::Result<Self> {
        let directory = tempfile::tempdir().context("cannot create a directory")?;
        let certificate = Certificate::create(directory.path().join("certificate"))?;
        let host = Host::start(&certificate).await?;
        let simulator = Simulator::builder().start().await?;
        let mp4 = simulator.source(&simulator.create(Script::default()));
        let mp4 = mp4.context("the simulator has no video")?.bytes();
        Ok(Self {
            server: Server::start(ServerKind::Dev, directory.path()).await?,
            simulator,
            host,
            certificate,
            program: program.to_owned(),
            mp4,
            directory,
        })
    }

    pub(super) fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Returns a video of a size.
    pub(super) async fn video(&self, size: u64) -> anyhow::Result<Arc<Video>> {
        let mp4 = self.mp4.clone();
        let video = tokio::task::spawn_blocking(move || Video::new(&mp4, size));
        Ok(Arc::new(video.await?))
    }

    /// Creates a task that has succeeded, with the video at a URL. Returns its id.
    pub(super) fn create_task(&self, video_url: String) -> String {
        self.simulator.create(Script {
            queued: Some(Duration::ZERO),
            running: Some(Duration::ZERO),
            video_url: Some(video_url),
            ..Script::default()
        })
    }

    pub(super) async fn start_store(&self, kind: StoreKind) -> anyhow::Result<Store> {
        Store::start(kind, &self.certificate, self.directory()).await
    }

    /// Starts a worker that archives to a store. The name distinguishes its files from those of others.
    pub(super) async fn start_worker(
        &self,
        store: &Store,
        task_queue: &str,
        name: &str,
    ) -> anyhow::Result<Worker> {
        let directory = self.directory().join(name);
        fs::create_dir_all(&directory).context("cannot create the directory of a worker")?;
        let settings = format!(
            "url_hosts = [\"http://127.0.0.1\"]\ntask_path = \"{PATH_WITHOUT_LIST}\"\n\
             limits = {{ queries_per_second = 1000 }}\n"
        );
        let accounts = archiver::write_accounts(&directory, &self.simulator, &settings)?;
        let mut command = self.archiver(store)?;
        command
            .arg("worker")
            .env("SEEDANCE_ACCOUNTS_FILE", accounts);
        let log = directory.join("worker.log");
        let (process, _) = archiver::start_worker(command, &self.server, task_queue, log).await?;
        let idle_bytes = usage::resident_bytes(process.pid());
        Ok(Worker {
            process,
            idle_bytes: idle_bytes.context("no memory in /proc")?,
        })
    }

    /// Returns a command of the archiver that uses a store and trusts the benchmark's certificate.
    pub(super) fn archiver(&self, store: &Store) -> anyhow::Result<Command> {
        let mut command = archiver::command(&self.program)?;
        remove_variables(&mut command, "AWS_");
        command
            .env("SEEDANCE_ARCHIVE_URL", store.archive_url()?)
            .env("SSL_CERT_FILE", self.certificate.authority_file())
            .env_remove("SSL_CERT_DIR")
            .env("NO_PROXY", "127.0.0.1")
            .envs(store.minio.iter().flat_map(|minio| minio.environment()));
        Ok(command)
    }
}

impl Worker {
    /// Returns the CPU time so far, in seconds.
    pub(super) fn cpu_seconds(&self) -> anyhow::Result<f64> {
        usage::cpu_seconds(self.process.pid()).context("the worker has exited")
    }

    /// Forgets the peak of the memory so far.
    pub(super) fn reset_peak(&self) -> anyhow::Result<()> {
        usage::reset_peak(self.process.pid()).context("cannot reset the peak of the memory")
    }

    /// Returns the peak of the memory since the last reset, above that before the first transfer.
    pub(super) fn peak_above_idle(&self) -> anyhow::Result<u64> {
        let peak = usage::peak_bytes(self.process.pid()).context("the worker has exited")?;
        Ok(peak.saturating_sub(self.idle_bytes))
    }
}
