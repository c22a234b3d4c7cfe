//! The worker that `seedance-archiver worker` runs, for use in your own program.
//!
//! A [`Worker`] consists of two SDK workers in one process. One serves workflows and queries, on the task
//! queue of the configuration. The other serves transfers, on a task queue of the same name with the suffix
//! `-transfers`, so that long transfers do not delay queries. The Nexus service of the archiver has the suffix `-nexus`. If
//! callbacks are configured, the worker also listens for them.
//!
//! The command also serves health checks and metrics, and maintains the Temporal Schedules of accounts with
//! [`auto_archive`](crate::config::Account::auto_archive). A [`Worker`] does not.
//!
//! To add the archiver to a worker of your own instead, see [`Plugin`].
//!
//! # Example
//!
//! Connects to the server that the environment names, and runs until Ctrl-C. Running transfers then have the
//! grace period of the configuration to finish; another worker resumes those that do not.
//!
//! ```no_run
//! use seedance_archiver::{config::Config, worker::Worker};
//! use temporalio_client::{Client, ClientOptions, Connection, envconfig::LoadClientConfigProfileOptions};
//! use temporalio_sdk::Runtime;
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let (connection, options) =
//!         ClientOptions::load_from_config(LoadClientConfigProfileOptions::default())?;
//!     let client = Client::new(Connection::connect(connection).await?, options)?;
//!     let config = Config::from_environment(|name| std::env::var(name).ok(), None)?;
//!
//!     let runtime = Runtime::from_current_tokio(Default::default())?;
//!     let worker = Worker::new(&runtime, &client, &config).await?;
//!     let until_interrupted = async {
//!         let _ = tokio::signal::ctrl_c().await;
//!     };
//!     Ok(worker.run(until_interrupted).await?)
//! }
//! ```

mod error;
mod failure_interceptor;
mod monitor;
mod nexus;
mod nexus_poller;
mod options;
mod rate_sharing;
mod sdk_workers;
mod supervisor;

use std::{convert::Infallible, net::SocketAddr};

use futures::{
    FutureExt,
    future::{OptionFuture, join},
};
use seedance_archiver_clock::Clock;
use seedance_archiver_policy::shares::Role;
use temporalio_client::Client;
use temporalio_sdk::{Runtime, Worker as SdkWorker};
use tokio::sync::{oneshot, watch};

use crate::{
    activities::task_queries::TaskQueries,
    config::Config,
    nexus::{Context, Service},
    plugin::Plugin,
    ports::{
        callbacks::{self, CallbackHandler},
        health::{Health, Phase},
        listener::{Limits, Listener},
    },
    temporal::watchers,
};
pub use error::WorkerError;
use nexus::NexusWorker;
use rate_sharing::RateSharing;
use sdk_workers::SdkWorkers;
use supervisor::Supervisor;

/// A worker that serves the task queue of its configuration and the transfers task queue, or only one of them
/// if the configuration says so.
pub struct Worker<'a> {
    sdk_workers: SdkWorkers<'a>,
    query: Option<SdkWorker>,
    transfer: Option<SdkWorker>,
    /// Serves Nexus in every worker that serves lifecycles.
    nexus: Option<NexusWorker>,
    rate_sharing: RateSharing,
    ingress: Option<Listener>,
    health: Health,
}

impl<'a> Worker<'a> {
    /// Creates a worker and registers its workflows and activities. Binds the address for callbacks, if one is
    /// configured.
    ///
    /// The worker does not poll before [`Worker::run`]. Neither the Seedance API nor the archive is called.
    ///
    /// # Errors
    ///
    /// - [`WorkerError::Accounts`] if the archive cannot be opened with the options of an account.
    /// - [`WorkerError::Ingress`] if the address for callbacks cannot be bound.
    /// - [`WorkerError::Setup`] if the SDK rejects the options.
    pub async fn new(
        runtime: &'a Runtime,
        client: &Client,
        config: &Config,
    ) -> Result<Self, WorkerError> {
        Self::with_clock(runtime, client, config, Clock::default()).await
    }

    /// Creates a worker with a clock for query windows, deadlines and expiries, which a test can advance. Otherwise the
    /// same as [`Worker::new`].
    ///
    /// # Errors
    ///
    /// See [`Worker::new`].
    pub async fn with_clock(
        runtime: &'a Runtime,
        client: &Client,
        config: &Config,
        clock: Clock,
    ) -> Result<Self, WorkerError> {
        let plugin = Plugin::builder()
            .client(client)
            .accounts(config.accounts.clone())
            .archive_url(config.archive_url.clone())
            .clock(clock)
            .build()
            .await?;
        let queues = config.worker.queues;
        let ingress = ingress(config, client, plugin.queries()).await?;
        let watched = plugin.queries().watched().clone();
        let sdk_workers = SdkWorkers::new(runtime, client, plugin, config);
        let role = match queues.query {
            true => Role::Query,
            false => Role::Transfer,
        };
        let nexus = queues.query.then(|| NexusWorker {
            client: client.clone(),
            service: Service::new(Context {
                client: client.clone(),
                task_queue: config.task_queue.clone(),
            }),
            options: sdk_workers.nexus_options(),
        });
        Ok(Self {
            query: queues.query.then(|| sdk_workers.query()).transpose()?,
            transfer: queues
                .transfer
                .then(|| sdk_workers.transfer())
                .transpose()?,
            nexus,
            rate_sharing: RateSharing {
                client: client.clone(),
                accounts: config.accounts.clone(),
                task_queue: config.task_queue.clone(),
                identity: sdk_workers.identity().to_owned(),
                role,
                watched,
            },
            sdk_workers,
            ingress,
            health: Health::default(),
        })
    }

    /// Returns the health of the worker.
    #[doc(hidden)]
    pub fn health(&self) -> &Health {
        &self.health
    }

    /// Returns the bound address for callbacks, or `None` if the worker does not listen for callbacks.
    pub fn ingress_address(&self) -> Option<SocketAddr> {
        self.ingress.as_ref()?.address().ok()
    }

    /// Polls until `shutdown` resolves, then stops polling and waits for running activities, up to the grace
    /// period of the configuration.
    ///
    /// While Temporal is unavailable, or the namespace is missing, the worker keeps trying. It logs the reason.
    ///
    /// The future is not `Send`: await it in `main`, or in a `LocalSet`.
    ///
    /// # Errors
    ///
    /// [`WorkerError::Run`] if the SDK fails while it drains, [`WorkerError::Setup`] if it rejects the options of
    /// a worker that replaces one that stopped.
    pub async fn run(mut self, shutdown: impl Future<Output = ()>) -> Result<(), WorkerError> {
        let ingress = self.ingress.take().map(Listener::start);
        let fleet = self.rate_sharing.join().await;
        let (stop, stop_requested) = watch::channel(false);
        let sdk_workers = &self.sdk_workers;
        let supervisor = Supervisor {
            client: &sdk_workers.client,
            health: &self.health,
            stop: stop_requested,
        };
        // If one cannot continue, the other must stop too.
        let stop_all = |ended: Result<(), WorkerError>| {
            stop.send_replace(true);
            ended
        };
        let query = self.query.take().map(|worker| {
            supervisor
                .run(worker, || sdk_workers.another_query())
                .map(stop_all)
        });
        let transfer = self.transfer.take().map(|worker| {
            supervisor
                .run(worker, async || sdk_workers.transfer())
                .map(stop_all)
        });
        self.health.set_phase(Phase::Polling);
        let nexus = self.nexus.take();
        let nexus = nexus.map(async |nexus| nexus.run(supervisor.stop.clone()).await);
        let sdk_workers_run = join(OptionFuture::from(query), OptionFuture::from(transfer));
        let run = join(sdk_workers_run, OptionFuture::from(nexus)).map(|(ended, _)| ended);
        tokio::pin!(run);
        let ended = tokio::select! {
            ended = &mut run => Some(ended),
            () = shutdown => None,
            never = monitor::watch(&sdk_workers.client, &self.health) => match never {},
            never = self.rate_sharing.maintain(fleet) => match never {},
            never = self.maintain_lifecycles() => match never {},
        };
        self.health.set_phase(Phase::Draining);
        // Callbacks in progress query workflows, which needs polling workers: stop the listener first.
        let stop_polling = async {
            if let Some(ingress) = ingress {
                ingress.stop().await;
            }
            stop.send_replace(true);
        };
        let (query, transfer) = match ended {
            Some(ended) => {
                stop_polling.await;
                ended
            }
            None => join(run, stop_polling).await.0,
        };
        query.unwrap_or(Ok(())).and(transfer.unwrap_or(Ok(())))
    }

    /// Starts the watchers that the accounts need, and notices new search attributes, if this worker serves the query task
    /// queue.
    async fn maintain_lifecycles(&self) -> Infallible {
        let RateSharing {
            client,
            accounts,
            task_queue,
            role,
            ..
        } = &self.rate_sharing;
        match role {
            Role::Query => {
                let watchers = watchers::maintain(client, accounts, task_queue);
                join(watchers, self.sdk_workers.watch_search_attributes())
                    .await
                    .0
            }
            Role::Transfer => std::future::pending().await,
        }
    }

    /// Polls until `work` completes, then shuts down as [`Worker::run`] does and returns the output. If the
    /// worker stops first, `work` is dropped.
    ///
    /// The future is not `Send`: await it in `main`, or in a `LocalSet`.
    ///
    /// # Errors
    ///
    /// See [`Worker::run`].
    pub async fn run_during<T>(self, work: impl Future<Output = T>) -> Result<T, WorkerError> {
        let (done, is_done) = oneshot::channel::<()>();
        let worker = self.run(async {
            // Dropping the sender ends the wait too, with an error.
            let _ = is_done.await;
        });
        tokio::pin!(worker);
        tokio::select! {
            ended = &mut worker => ended.and(Err(WorkerError::Run("shut down before the work was done".into()))),
            outcome = work => {
                drop(done);
                worker.await?;
                Ok(outcome)
            }
        }
    }
}

async fn ingress(
    config: &Config,
    client: &Client,
    queries: &TaskQueries,
) -> Result<Option<Listener>, WorkerError> {
    let Some(address) = config.ingress_address else {
        return Ok(None);
    };
    let handler = CallbackHandler::new(client.clone(), queries.clone(), &config.task_queue);
    let routes = callbacks::routes(&config.accounts, handler);
    let listener = Listener::bind(address, routes, Limits::CALLBACKS).await;
    listener
        .map(Some)
        .map_err(|source| WorkerError::Ingress { address, source })
}
