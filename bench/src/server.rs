//! The Temporal server of a run.

use std::{path::Path, process::Command};

use anyhow::Context;
use clap::ValueEnum;
use reqwest::Url;
use serde::Serialize;
use temporalio_client::{Client, ClientOptions, Connection, ConnectionOptions, tonic::IntoRequest};
use temporalio_common::protos::temporal::api::workflowservice::v1::GetSystemInfoRequest;

use crate::{output, process::Process};

pub(crate) const NAMESPACE: &str = "default";
/// Starts and installs servers.
const SCRIPT: &str = "bench/server/run";

#[derive(Clone, Copy, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ServerKind {
    /// The dev server of the Temporal CLI, in memory
    Dev,
    /// The production server with PostgreSQL
    Postgres,
}

impl ServerKind {
    /// Returns the server that was asked for. If none was, it is the production server or, where that cannot be installed, the
    /// dev server, and a line says why.
    pub(crate) async fn choose(asked_for: Option<Self>) -> anyhow::Result<Self> {
        match asked_for {
            Some(kind) => Ok(kind),
            None => Self::available(install_production().await),
        }
    }

    fn available(installed: anyhow::Result<()>) -> anyhow::Result<Self> {
        let Err(error) = installed else {
            return Ok(Self::Postgres);
        };
        output::print(&format!(
            "the dev server is used, because the production server cannot be installed: {error:#}\n"
        ))?;
        Ok(Self::Dev)
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Dev => "dev",
            Self::Postgres => "postgres",
        }
    }
}

/// Installs the production server and PostgreSQL, if they are not installed.
async fn install_production() -> anyhow::Result<()> {
    output::print("preparing the production server: the first time takes minutes\n")?;
    let mut command = Command::new(SCRIPT);
    command.arg("install");
    let log = tempfile::NamedTempFile::new().context("cannot create a log")?;
    let path = log.path().to_owned();
    Process::start_until_ready("the installation", &mut command, path).await?;
    Ok(())
}

/// A Temporal server that has nothing in it at first.
pub(crate) struct Server {
    pub(crate) process: Process,
    pub(crate) client: Client,
    /// `host:port` of the gRPC endpoint.
    pub(crate) address: String,
    pub(crate) version: String,
}

impl Server {
    pub(crate) async fn start(kind: ServerKind, directory: &Path) -> anyhow::Result<Self> {
        let mut command = Command::new(SCRIPT);
        command.arg(kind.name()).env("TMPDIR", directory);
        let log = directory.join("server.log");
        let started = Process::start_until_ready("the Temporal server", &mut command, log);
        let (process, address) = started.await?;
        let target: Url = format!("http://{address}").parse()?;
        let connection = Connection::connect(ConnectionOptions::new(target).build());
        let connection = connection.await.context("cannot reach the server")?;
        let info = connection
            .workflow_service()
            .get_system_info(GetSystemInfoRequest::default().into_request())
            .await?;
        Ok(Self {
            process,
            client: Client::new(connection, ClientOptions::new(NAMESPACE).build())?,
            address,
            version: info.into_inner().server_version,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_production_server_is_used_unless_it_cannot_be_installed() {
        let is_production = |kind: anyhow::Result<ServerKind>| kind.unwrap().name() == "postgres";
        assert!(is_production(ServerKind::available(Ok(()))));
        let failed = Err(anyhow::anyhow!("no Go"));
        assert!(!is_production(ServerKind::available(failed)));
        for kind in [ServerKind::Dev, ServerKind::Postgres] {
            let chosen = ServerKind::choose(Some(kind)).await;
            assert_eq!(chosen.unwrap().name(), kind.name());
        }
    }
}
