//! The worker process of a system under test.

use std::{fs, path::Path, process::Command};

use anyhow::Context;
use reqwest::Url;
use seedance_archiver_simulator::Simulator;

use super::{
    options::Options,
    system::{Loop, System, Variant},
};
use crate::{
    archiver::{self, PATH_WITHOUT_LIST, set_temporal},
    process::Process,
    server::Server,
};

/// Task queue of every system.
pub(super) const TASK_QUEUE: &str = "bench";

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
                let started = archiver::start_worker(command, server, TASK_QUEUE, log);
                let (process, metrics_url) = started.await?;
                Ok(Self {
                    process,
                    metrics_url: Some(metrics_url),
                })
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
    let key = match variant {
        Variant::Listed => String::new(),
        Variant::WithoutList => format!("task_path = \"{PATH_WITHOUT_LIST}\"\n"),
        Variant::AutoArchive => "auto_archive = true\n".to_owned(),
    };
    let accounts = archiver::write_accounts(directory, simulator, &key)?;
    let archive = directory.join("archive");
    fs::create_dir_all(&archive).context("cannot create the archive")?;
    let archive = Url::from_directory_path(&archive);
    let archive = archive.map_err(|()| anyhow::anyhow!("the archive has no URL"))?;
    let mut command = archiver::command(&options.archiver)?;
    command
        .arg("worker")
        .env("SEEDANCE_ACCOUNTS_FILE", accounts)
        .env("SEEDANCE_ARCHIVE_URL", archive.as_str());
    Ok(command)
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
