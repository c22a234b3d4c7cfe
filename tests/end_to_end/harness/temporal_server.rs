//! The Temporal server that all tests share.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use anyhow::ensure;
use parking_lot::Mutex;
use seedance_archiver_proto::names;
use seedance_archiver_workflows::VideoTaskLifecycle;
use temporalio_client::{
    Client, ClientOptions, NamespacedClient, WorkflowCountOptions, WorkflowDescribeOptions,
    WorkflowHandle,
    grpc::WorkflowService,
    tonic::{Code, IntoRequest},
};
use temporalio_common::protos::temporal::api::workflowservice::v1::RegisterNamespaceRequest;
use temporalio_sdk::Runtime;
use uuid::Uuid;

use crate::until::until_async;

/// A Temporal server, with a client for one of its namespaces.
pub(crate) struct Server {
    pub(crate) client: Client,
    /// `host:port` of the gRPC endpoint.
    pub(crate) address: String,
    /// URL of the Web UI.
    pub(crate) ui_url: Option<String>,
    pub(crate) runtime: Runtime,
    /// Distinguishes names from those of other runs on the same server.
    run: String,
    names: AtomicU32,
    /// A client for each namespace that tests created on this server.
    created: Arc<Mutex<Vec<Client>>>,
}

impl Server {
    pub(crate) fn new(
        client: Client,
        address: String,
        ui_url: Option<String>,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            client,
            address,
            ui_url,
            runtime: Runtime::from_current_tokio(Default::default())?,
            run: Uuid::new_v4().simple().to_string()[..8].to_owned(),
            names: AtomicU32::new(0),
            created: Arc::default(),
        })
    }

    /// Returns this server with another address for processes, such as that of a proxy.
    pub(crate) fn at(&self, address: String) -> anyhow::Result<Self> {
        self.with(self.client.clone(), address)
    }

    fn with(&self, client: Client, address: String) -> anyhow::Result<Self> {
        Ok(Self {
            created: self.created.clone(),
            ..Self::new(client, address, self.ui_url.clone())?
        })
    }

    /// Returns a client for each namespace of the tests: that of this server, and those that tests created.
    pub(crate) fn clients(&self) -> Vec<Client> {
        let created = self.created.lock().clone();
        [self.client.clone()].into_iter().chain(created).collect()
    }

    /// Returns the environment variables of a process that connects to this server and namespace.
    pub(crate) fn environment(&self) -> [(&'static str, String); 2] {
        [
            ("TEMPORAL_ADDRESS", self.address.clone()),
            ("TEMPORAL_NAMESPACE", self.client.namespace()),
        ]
    }

    /// Returns this server with a client for a new namespace, which no other test uses.
    pub(crate) async fn with_new_namespace(&self) -> anyhow::Result<Self> {
        self.with_namespace(&self.unique_name("namespace")).await
    }

    /// Creates a namespace. Returns this server with a client for it, once it can be used.
    pub(crate) async fn with_namespace(&self, name: &str) -> anyhow::Result<Self> {
        let request = RegisterNamespaceRequest {
            namespace: name.to_owned(),
            workflow_execution_retention_period: Duration::from_secs(24 * 3600).try_into().ok(),
            ..RegisterNamespaceRequest::default()
        };
        let connection = self.client.connection().clone();
        let mut service = connection.clone();
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
        self.created.lock().push(client.clone());
        self.with(client, self.address.clone())
    }

    /// Returns what distinguishes names from those of other runs and other namespaces.
    pub(crate) fn run(&self) -> &str {
        &self.run
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
        let number = self.names.fetch_add(1, Ordering::Relaxed);
        format!("{kind}-{}-{number}", self.run)
    }
}
