//! An Azurite server with one container.

use std::path::PathBuf;

use reqwest::Method;
use tempfile::TempDir;
use tokio::process::Command;

use crate::{requests, server::Server, servers::BUCKET};

/// The emulator's account.
pub(crate) const ACCOUNT: &str = "devstoreaccount1";

pub(crate) struct Azurite {
    server: Server,
    _data: TempDir,
}

impl Azurite {
    pub(crate) async fn start(program: PathBuf) -> anyhow::Result<Self> {
        let data = tempfile::tempdir()?;
        let server = Server::start(|port| {
            let mut command = Command::new(program);
            command
                .args(["--silent", "--skipApiVersionCheck", "--disableTelemetry"])
                .args(["--blobHost", "127.0.0.1", "--blobPort"])
                .arg(port.to_string())
                .arg("--location")
                .arg(data.path());
            command
        });
        let server = server.await?;
        let container = format!("{}/{ACCOUNT}/{BUCKET}?restype=container", server.url());
        requests::azure(Method::PUT, &container).await?;
        Ok(Self {
            server,
            _data: data,
        })
    }

    /// Returns the environment variables for a process that uses the server.
    pub(crate) fn environment(&self) -> [(&'static str, String); 2] {
        [
            ("AZURE_STORAGE_USE_EMULATOR", "true".to_owned()),
            ("AZURITE_BLOB_STORAGE_URL", self.server.url()),
        ]
    }
}
