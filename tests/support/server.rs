//! A third-party server on a free port.

use std::{
    net::{TcpListener, TcpStream},
    process::Stdio,
};

use tokio::process::{Child, Command};

use crate::until::until;

/// A running server, which is killed when this value is dropped.
pub(crate) struct Server {
    port: u16,
    _process: Child,
}

impl Server {
    /// Starts the command that `command` returns for a port, and waits until it accepts connections.
    pub(crate) async fn start(command: impl FnOnce(u16) -> Command) -> anyhow::Result<Self> {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let process = command(port)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        let accepts = || TcpStream::connect(("127.0.0.1", port)).is_ok();
        until("the server accepts connections", accepts).await?;
        Ok(Self {
            port,
            _process: process,
        })
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}
