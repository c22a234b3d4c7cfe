//! The worker process of a system under test.

use std::{
    fs,
    net::TcpListener,
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Context, ensure};
use reqwest::Url;
use seedance_archiver_simulator::Simulator;

use super::{
    options::Options,
    process::Process,
    server::{NAMESPACE, Server},
    system::{Loop, System, Variant},
};

/// Task queue of every system.
pub(super) const TASK_QUEUE: &str = "bench";
const READY_TIMEOUT: Duration = Duration::from_secs(60);
/// A path of tasks below which no list is known. It leads to the same tasks: URLs have no segment `.`.
const PATH_WITHOUT_LIST: &str = "contents/generations/tasks/{task_id}/.";

pub(super) struct Worker {
    pub(super) process: Process,
    /// URL of the metrics, if the worker has any.
    pub(super) metrics_url: Option<String>,
}

impl Worker {
    /// Starts a worker, and waits until it polls. `number` distinguishes it from others in the directory.
    pub(super) async fn start(
        options: &Options,
        system: System,
        server: &Server,
        simulator: &Simulator,
        directory: &Path,
        number: usize,
    ) -> anyhow::Result<Self> {
        let log = directory.join(format!("worker-{number}.log"));
        match system {
            System::Archiver(variant) => {
                let command = archiver(options, variant, simulator, directory)?;
                start_archiver(command, server, log).await
            }
            System::Loop(it) => {
                let mut command = loop_worker(it, server, simulator);
                let name = format!("the worker of {system}");
                let started = Process::start_until_ready(&name, &mut command, log);
                let (process, _) = started.await?;
                Ok(Self {
                    process,
                    metrics_url: None,
                })
            }
        }
    }
}

fn archiver(
    options: &Options,
    variant: Variant,
    simulator: &Simulator,
    directory: &Path,
) -> anyhow::Result<Command> {
    let program = &options.archiver;
    ensure!(
        program.exists(),
        "{} does not exist; fix: cargo build --release",
        program.display()
    );
    let key = match variant {
        Variant::Listed => String::new(),
        Variant::WithoutList => format!("task_path = \"{PATH_WITHOUT_LIST}\"\n"),
        Variant::AutoArchive => "auto_archive = true\n".to_owned(),
    };
    let accounts = directory.join("accounts.toml");
    let account = format!(
        "[accounts.default]\nbase_url = \"{}\"\napi_key = \"{}\"\n{key}",
        simulator.base_url(),
        simulator.api_key()
    );
    fs::write(&accounts, account).context("cannot write the accounts file")?;
    let archive = directory.join("archive");
    fs::create_dir_all(&archive).context("cannot create the archive")?;
    let archive = Url::from_directory_path(&archive);
    let archive = archive.map_err(|()| anyhow::anyhow!("the archive has no URL"))?;
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("SEEDANCE_") {
            command.env_remove(name);
        }
    }
    command
        .arg("worker")
        .env("SEEDANCE_ACCOUNTS_FILE", accounts)
        .env("SEEDANCE_ARCHIVE_URL", archive.as_str())
        .env("SEEDANCE_GRACE_PERIOD", "1s");
    Ok(command)
}

async fn start_archiver(
    mut command: Command,
    server: &Server,
    log: std::path::PathBuf,
) -> anyhow::Result<Worker> {
    // Free until somebody else takes it, which nobody on a machine that runs benchmarks does.
    let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    set_temporal(&mut command, server)
        .env("TEMPORAL_TASK_QUEUE", TASK_QUEUE)
        .env("SEEDANCE_ADMIN_ADDRESS", address.to_string())
        .stdout(Stdio::null());
    let mut process = Process::start("seedance-archiver", &mut command, log)?;
    let ready = async {
        let url = format!("http://{address}/readyz");
        loop {
            process.check()?;
            let response = reqwest::get(&url).await;
            if response.is_ok_and(|response| response.status().is_success()) {
                return anyhow::Ok(());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let ready = tokio::time::timeout(READY_TIMEOUT, ready).await;
    ready.context("seedance-archiver is not ready")??;
    Ok(Worker {
        process,
        metrics_url: Some(format!("http://{address}/metrics")),
    })
}

fn loop_worker(it: Loop, server: &Server, simulator: &Simulator) -> Command {
    let mut command = Command::new("bench/loops/run");
    set_temporal(command.arg(it.language), server)
        .env("TASK_QUEUE", TASK_QUEUE)
        .env("SEEDANCE_BASE_URL", simulator.base_url())
        .env("SEEDANCE_API_KEY", simulator.api_key())
        .env("INTERVAL_SECONDS", it.interval_seconds.to_string());
    command
}

fn set_temporal<'a>(command: &'a mut Command, server: &Server) -> &'a mut Command {
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("TEMPORAL_") {
            command.env_remove(name);
        }
    }
    command
        .env("TEMPORAL_CONFIG_FILE", "/dev/null")
        .env("TEMPORAL_ADDRESS", &server.address)
        .env("TEMPORAL_NAMESPACE", NAMESPACE)
}
