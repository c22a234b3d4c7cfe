//! A Temporal server that remembers, and can be killed and started again.

use std::{net::TcpListener, process::Stdio, time::Duration};

use anyhow::Context;
use seedance_archiver::dev_server;
use tempfile::TempDir;
use temporalio_client::{Client, ClientOptions, Connection, ConnectionOptions};
use tokio::process::{Child, Command};

use crate::world::until_async;

pub(crate) struct Restartable {
    pub(crate) address: String,
    program: std::path::PathBuf,
    directory: TempDir,
    process: Child,
}

impl Restartable {
    pub(crate) async fn start() -> anyhow::Result<Self> {
        let program = dev_server::locate(&|_| {}).await?;
        let directory = tempfile::tempdir()?;
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let address = format!("127.0.0.1:{port}");
        let process = spawn(&program, &directory, &address)?;
        Ok(Self {
            address,
            program,
            directory,
            process,
        })
    }

    /// Kills it, and starts it with what it had written.
    pub(crate) async fn restart(&mut self) -> anyhow::Result<()> {
        self.process.kill().await?;
        self.process = spawn(&self.program, &self.directory, &self.address)?;
        Ok(())
    }

    /// A client, once it answers.
    pub(crate) async fn client(&self) -> anyhow::Result<Client> {
        let target: reqwest::Url = format!("http://{}", self.address).parse()?;
        until_async("the server answers", || async {
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

fn spawn(program: &std::path::Path, directory: &TempDir, address: &str) -> anyhow::Result<Child> {
    let (ip, port) = address.split_once(':').context("no port")?;
    Command::new(program)
        .args(["server", "start-dev", "--headless", "--log-level", "error"])
        .args(["--ip", ip, "--port", port, "--db-filename"])
        .arg(directory.path().join("temporal.db"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .context("cannot start the server")
}
