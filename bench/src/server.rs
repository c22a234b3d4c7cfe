//! The Temporal server of a run.

use std::{path::Path, process::Command};

use anyhow::Context;
use clap::ValueEnum;
use reqwest::Url;
use serde::Serialize;
use temporalio_client::{Client, ClientOptions, Connection, ConnectionOptions, tonic::IntoRequest};
use temporalio_common::protos::temporal::api::workflowservice::v1::GetSystemInfoRequest;

use crate::process::Process;

pub(crate) const NAMESPACE: &str = "default";

#[derive(Clone, Copy, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ServerKind {
    /// The dev server of the Temporal CLI, in memory
    Dev,
    /// The production server with PostgreSQL
    Postgres,
}

impl ServerKind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Dev => "dev",
            Self::Postgres => "postgres",
        }
    }
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
