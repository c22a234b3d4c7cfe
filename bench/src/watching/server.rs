//! The Temporal server of a run.

use std::{path::Path, process::Command};

use anyhow::Context;
use reqwest::Url;
use temporalio_client::{Client, ClientOptions, Connection, ConnectionOptions, tonic::IntoRequest};
use temporalio_common::protos::temporal::api::workflowservice::v1::GetSystemInfoRequest;

use super::{options::ServerKind, process::Process};

pub(super) const NAMESPACE: &str = "default";

/// A Temporal server that has nothing in it at first.
pub(super) struct Server {
    pub(super) process: Process,
    pub(super) client: Client,
    /// `host:port` of the gRPC endpoint.
    pub(super) address: String,
    pub(super) version: String,
}

impl Server {
    pub(super) async fn start(kind: ServerKind, directory: &Path) -> anyhow::Result<Self> {
        let mut command = Command::new("bench/server/run");
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
