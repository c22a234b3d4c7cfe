//! A Temporal server that stores its state on disk, so that it can be killed and started again.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use anyhow::Context;
use seedance_archiver::dev_server;
use tempfile::TempDir;
use temporalio_client::{Client, ClientOptions, Connection, ConnectionOptions};
use tokio::process::{Child, Command};

use crate::{free_address::free_address, until::until_async};

pub(crate) struct RestartableServer {
    pub(crate) address: String,
    program: PathBuf,
    directory: TempDir,
    process: Child,
}

impl RestartableServer {
    /// Starts a server with an empty database.
    pub(crate) async fn start() -> anyhow::Result<Self> {
        let program = dev_server::locate(&|_| {}).await?;
        let directory = tempfile::tempdir()?;
        let address = free_address()?.to_string();
        let process = spawn(&program, &directory, &address)?;
        Ok(Self {
            address,
            program,
            directory,
            process,
        })
    }

    /// Kills the server, and starts it again with its database.
    pub(crate) async fn restart(&mut self) -> anyhow::Result<()> {
        self.kill().await?;
        self.start_again()
    }

    /// Kills the server.
    pub(crate) async fn kill(&mut self) -> anyhow::Result<()> {
        Ok(self.process.kill().await?)
    }

    /// Starts the killed server with its database.
    pub(crate) fn start_again(&mut self) -> anyhow::Result<()> {
        self.process = spawn(&self.program, &self.directory, &self.address)?;
        Ok(())
    }

    /// Starts the killed server with an empty database.
    pub(crate) fn start_empty(&mut self) -> anyhow::Result<()> {
        self.directory = tempfile::tempdir()?;
        self.start_again()
    }

    /// Returns a copy of the database of the killed server.
    pub(crate) fn back_up(&self) -> anyhow::Result<TempDir> {
        let backup = tempfile::tempdir()?;
        for file in std::fs::read_dir(&self.directory)? {
            let file = file?;
            std::fs::copy(file.path(), backup.path().join(file.file_name()))?;
        }
        Ok(backup)
    }

    /// Starts the killed server with a backup of its database.
    pub(crate) fn restore(&mut self, backup: TempDir) -> anyhow::Result<()> {
        self.directory = backup;
        self.start_again()
    }

    /// Waits until the server accepts connections, and returns a client.
    pub(crate) async fn client(&self) -> anyhow::Result<Client> {
        let target: reqwest::Url = format!("http://{}", self.address).parse()?;
        until_async("the server accepts connections", || async {
            let options = ConnectionOptions::new(target.clone())
                .connect_timeout(Duration::from_secs(5))
                .build();
            Ok(Connection::connect(options).await.is_ok())
        })
        .await?;
        let connection = Connection::connect(ConnectionOptions::new(target).build()).await?;
        Ok(Client::new(
            connection,
            ClientOptions::new("default").build(),
        )?)
    }
}

fn spawn(program: &Path, directory: &TempDir, address: &str) -> anyhow::Result<Child> {
    let (ip, port) = address.split_once(':').context("no port")?;
    // The order in which tasks with priorities are dispatched is certain within a partition only.
    let settings = [
        "matching.useNewMatcher=true",
        "matching.numTaskqueueReadPartitions=1",
        "matching.numTaskqueueWritePartitions=1",
    ];
    Command::new(program)
        .args(["server", "start-dev", "--headless", "--log-level", "error"])
        .args(settings.map(|setting| format!("--dynamic-config-value={setting}")))
        .args(["--ip", ip, "--port", port, "--db-filename"])
        .arg(directory.path().join("temporal.db"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .context("cannot start the Temporal server")
}
