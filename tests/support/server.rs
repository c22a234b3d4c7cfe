//! A third-party server on a free port.

use std::process::Stdio;

use anyhow::bail;
use tokio::process::{Child, Command};

use crate::{free_address::free_address, until::until_async};

/// A running server, which is killed when this value is dropped.
pub(crate) struct Server {
    port: u16,
    process: Child,
}

impl Server {
    /// Starts the command that `command` returns for a port, and waits until it responds.
    pub(crate) async fn start(command: impl FnOnce(u16) -> Command) -> anyhow::Result<Self> {
        let port = free_address()?.port();
        let process = spawn(command(port), port).await?;
        Ok(Self { port, process })
    }

    /// Starts the killed server again, with the command that `command` returns for its port.
    #[allow(dead_code, reason = "not every test program restarts a server")]
    pub(crate) async fn start_again(
        &mut self,
        command: impl FnOnce(u16) -> Command,
    ) -> anyhow::Result<()> {
        self.process = spawn(command(self.port), self.port).await?;
        Ok(())
    }

    /// Kills the server.
    #[allow(dead_code, reason = "not every test program kills a server")]
    pub(crate) async fn kill(&mut self) -> anyhow::Result<()> {
        Ok(self.process.kill().await?)
    }

    pub(crate) fn url(&self) -> String {
        url(self.port)
    }
}

/// Starts a server, and waits until it responds to an HTTP request. That it accepts a connection is not enough: MinIO first
/// listens for a moment only to find out whether the port is free.
async fn spawn(mut command: Command, port: u16) -> anyhow::Result<Child> {
    let mut process = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    until_async("the server responds", || {
        let exited = process.try_wait();
        async move {
            if let Some(status) = exited? {
                bail!("the server on port {port} ended: {status}");
            }
            Ok(reqwest::get(url(port)).await.is_ok())
        }
    })
    .await?;
    Ok(process)
}

fn url(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}
