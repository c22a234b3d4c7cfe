//! Creates the two SDK workers.

use std::{convert::Infallible, process};

use temporalio_client::{Client, NamespacedClient};
use temporalio_sdk::{Runtime, Worker as SdkWorker, WorkerOptions};

use super::{error::WorkerError, nexus_poller, options::SdkOptions};
use crate::{config::Config, plugin::Plugin};

/// Creates SDK workers, any number of times.
pub(super) struct SdkWorkers<'a> {
    runtime: &'a Runtime,
    pub(super) client: Client,
    plugin: Plugin,
    options: SdkOptions,
    identity: String,
}

impl<'a> SdkWorkers<'a> {
    pub(super) fn new(
        runtime: &'a Runtime,
        client: &Client,
        plugin: Plugin,
        config: &Config,
    ) -> Self {
        let identity = identity(client);
        Self {
            runtime,
            client: client.clone(),
            plugin,
            options: SdkOptions::new(config.clone(), identity.clone()),
            identity,
        }
    }

    /// Returns the identity by which the server knows this process.
    pub(super) fn identity(&self) -> &str {
        &self.identity
    }

    /// Creates the SDK worker of the query task queue.
    pub(super) fn query(&self) -> Result<SdkWorker, WorkerError> {
        let mut options = self.options.query();
        self.plugin
            .register_queries(&mut options)
            .map_err(|error| WorkerError::Setup(error.to_string()))?;
        self.create(options)
    }

    /// Creates the SDK worker of the query task queue that replaces one that stopped. The namespace may have been created
    /// again meanwhile, without search attributes.
    pub(super) async fn another_query(&self) -> Result<SdkWorker, WorkerError> {
        self.plugin.check_search_attributes().await;
        self.query()
    }

    /// Notices search attributes that an operator registers while the worker runs.
    pub(super) async fn watch_search_attributes(&self) -> Infallible {
        self.plugin.watch_search_attributes().await
    }

    /// Creates the SDK worker of the transfers task queue.
    pub(super) fn transfer(&self) -> Result<SdkWorker, WorkerError> {
        let mut options = self.options.transfer();
        self.plugin
            .register_transfers(&mut options, self.options.workflow_queue());
        self.create(options)
    }

    /// Returns the options of the Nexus poller.
    pub(super) fn nexus_options(&self) -> nexus_poller::Options {
        self.options.nexus()
    }

    fn create(&self, options: WorkerOptions) -> Result<SdkWorker, WorkerError> {
        SdkWorker::new(self.runtime, self.client.clone(), options)
            .map_err(|error| WorkerError::Setup(error.to_string()))
    }
}

/// Returns the identity of the client, or the SDK's default if it has none.
fn identity(client: &Client) -> String {
    match client.identity() {
        identity if identity.is_empty() => {
            let host = rustix::system::uname();
            let host = host.nodename().to_string_lossy();
            format!("{}@{host}", process::id())
        }
        identity => identity,
    }
}
