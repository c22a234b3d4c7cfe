//! The Temporal server that all tests share.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use anyhow::{Context, ensure};
use seedance_archiver::dev_server::DevServer;
use seedance_archiver_proto::names;
use seedance_archiver_workflows::VideoTaskLifecycle;
use temporalio_client::{
    Client, ClientOptions, WorkflowCountOptions, WorkflowDescribeOptions, WorkflowHandle,
    tonic::{Code, IntoRequest},
};
use temporalio_common::protos::temporal::api::workflowservice::v1::RegisterNamespaceRequest;
use temporalio_sdk::Runtime;

use crate::until::until_async;

/// A Temporal server, with a client for one of its namespaces.
pub(crate) struct Server {
    pub(crate) client: Client,
    pub(crate) address: String,
    pub(crate) ui_url: String,
    pub(crate) runtime: Runtime,
    names: AtomicU32,
}

impl Server {
    pub(crate) fn new(server: &DevServer) -> anyhow::Result<Self> {
        Ok(Self {
            client: server.client.clone(),
            address: server.address.clone(),
            ui_url: server.ui_url.clone().context("the server has no UI")?,
            runtime: Runtime::from_current_tokio(Default::default())?,
            names: AtomicU32::new(0),
        })
    }

    /// Returns this server with another client.
    pub(crate) fn with_client(&self, client: Client) -> anyhow::Result<Self> {
        Ok(Self {
            client,
            address: self.address.clone(),
            ui_url: self.ui_url.clone(),
            runtime: Runtime::from_current_tokio(Default::default())?,
            names: AtomicU32::new(0),
        })
    }

    /// Returns this server with a client for a new namespace, which no other test uses.
    pub(crate) async fn with_new_namespace(&self) -> anyhow::Result<Self> {
        let name = self.unique_name("namespace");
        let request = RegisterNamespaceRequest {
            namespace: name.clone(),
            workflow_execution_retention_period: Duration::from_secs(24 * 3600).try_into().ok(),
            ..RegisterNamespaceRequest::default()
        };
        let connection = self.client.connection().clone();
        let mut service = connection.workflow_service();
        service.register_namespace(request.into_request()).await?;
        let client = Client::new(connection, ClientOptions::new(name).build())?;
        // The server returns `NotFound` until its namespace cache is refreshed.
        until_async("the namespace is usable", || async {
            let options = WorkflowCountOptions::default();
            match client.count_workflows("", options).await {
                Ok(count) => Ok(count.count() == 0),
                Err(error) => {
                    let is_new = format!("{error:?}").contains(&format!("{:?}", Code::NotFound));
                    ensure!(is_new, "{error}");
                    Ok(false)
                }
            }
        })
        .await?;
        self.with_client(client)
    }

    /// Returns a handle to the lifecycle of a task.
    pub(crate) fn lifecycle(&self, task_id: &str) -> WorkflowHandle<Client, VideoTaskLifecycle> {
        self.client
            .get_workflow_handle(names::lifecycle_workflow_id("", task_id))
    }

    /// Returns the id of the latest run of a lifecycle.
    pub(crate) async fn run_id(&self, task_id: &str) -> anyhow::Result<String> {
        let lifecycle = self.lifecycle(task_id);
        let description = lifecycle.describe(WorkflowDescribeOptions::default());
        Ok(description.await?.run_id().to_owned())
    }

    /// Returns a name that nothing else on the server has.
    pub(crate) fn unique_name(&self, kind: &str) -> String {
        format!("{kind}-{}", self.names.fetch_add(1, Ordering::Relaxed))
    }
}
