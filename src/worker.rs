//! The worker: two SDK workers in one process, one for workflows and questions, one for transfers,
//! so that a long transfer never holds up a question.
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

mod boundary;
mod options;

use std::net::SocketAddr;

use futures::future::{OptionFuture, join};
use temporalio_client::Client;
use temporalio_sdk::{Runtime, Worker as SdkWorker, WorkerRunError};
use tokio::sync::oneshot;

use crate::{
    activities::{ServeError, task_query::Questions},
    config::Config,
    plugin::Plugin,
    ports::{
        callbacks::{self, CallbackHandler},
        health::{Health, Phase},
        listener::Listener,
    },
};
use options::Options;

/// A worker that serves the task queue of its configuration and the transfers queue beside it, or the one of
/// them that the configuration names.
pub struct Worker {
    query: Option<SdkWorker>,
    transfer: Option<SdkWorker>,
    ingress: Option<Listener>,
    health: Health,
}

/// Why a worker cannot start or go on.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    /// The accounts cannot be served.
    #[error(transparent)]
    Accounts(#[from] ServeError),
    /// Nobody can call in.
    #[error("cannot listen on {address}, for callbacks: {source}")]
    Ingress {
        /// Where to.
        address: SocketAddr,
        /// What the system says.
        source: std::io::Error,
    },
    /// The SDK refuses its configuration.
    #[error("cannot set up the Temporal worker: {0}")]
    Setup(String),
    /// The SDK stopped with an error.
    #[error("the Temporal worker stopped: {0}")]
    Run(String),
}

impl Worker {
    /// Registers everything with the SDK, and listens for callbacks where the configuration says so.
    /// Nothing is polled yet, no account is asked and nothing is written.
    ///
    /// # Errors
    ///
    /// [`WorkerError::Accounts`] where the archive cannot be opened as an account wants it,
    /// [`WorkerError::Ingress`] where it cannot listen, [`WorkerError::Setup`] where the SDK refuses it.
    pub async fn new(
        runtime: &Runtime,
        client: &Client,
        config: &Config,
    ) -> Result<Self, WorkerError> {
        let plugin = Plugin::builder()
            .client(client)
            .accounts(config.accounts.clone())
            .archive_url(config.archive_url.clone())
            .build()
            .await?;
        let queues = config.operations.queues;
        let options = Options::new(config);
        let start = |options| {
            SdkWorker::new(runtime, client.clone(), options)
                .map_err(|error| WorkerError::Setup(error.to_string()))
        };
        let query = || {
            let mut options = options.query();
            plugin
                .register_questions(&mut options)
                .map_err(|error| WorkerError::Setup(error.to_string()))?;
            start(options)
        };
        let transfer = || {
            let mut options = options.transfer();
            plugin.register_transfers(&mut options);
            start(options)
        };
        Ok(Self {
            query: queues.query.then(query).transpose()?,
            transfer: queues.transfer.then(transfer).transpose()?,
            ingress: ingress(config, client, plugin.questions()).await?,
            health: Health::default(),
        })
    }

    /// How far it is.
    #[doc(hidden)]
    pub fn health(&self) -> &Health {
        &self.health
    }

    /// Where callbacks come in. `None`: they do not.
    pub fn ingress_address(&self) -> Option<SocketAddr> {
        self.ingress.as_ref()?.address().ok()
    }

    /// Polls until `shutdown` resolves, then drains. Not `Send`: run it on the task that `main`
    /// blocks on, or in a `LocalSet`.
    ///
    /// # Errors
    ///
    /// [`WorkerError::Run`] where the SDK stops polling by itself.
    pub async fn run(mut self, shutdown: impl Future<Output = ()>) -> Result<(), WorkerError> {
        let ingress = self.ingress.take().map(Listener::start);
        let stop_query = self.query.as_ref().map(SdkWorker::shutdown_handle);
        let stop_transfer = self.transfer.as_ref().map(SdkWorker::shutdown_handle);
        let stop = || {
            self.health.set_phase(Phase::Draining);
            stop_query.as_ref().inspect(|stop| stop());
            stop_transfer.as_ref().inspect(|stop| stop());
        };
        self.health.set_phase(Phase::Polling);
        // Where one worker fails, the other must not go on alone.
        let run = join(poll(self.query, &stop), poll(self.transfer, &stop));
        tokio::pin!(run);
        let ended = tokio::select! {
            ended = &mut run => Some(ended),
            () = shutdown => None,
        };
        self.health.set_phase(Phase::Draining);
        // What calls in needs workers that still poll.
        if let Some(ingress) = ingress {
            ingress.stop().await;
        }
        let (query, transfer) = match ended {
            Some(ended) => ended,
            None => {
                stop();
                run.await
            }
        };
        query
            .and(transfer)
            .map_err(|error| WorkerError::Run(error.to_string()))
    }

    /// Polls while `work` goes on, then drains. Where polling ends first, so does the work. Not `Send`, as
    /// [`Worker::run`].
    ///
    /// # Errors
    ///
    /// [`WorkerError::Run`] where the SDK stops polling by itself.
    pub async fn run_during<T>(self, work: impl Future<Output = T>) -> Result<T, WorkerError> {
        let (done, is_done) = oneshot::channel::<()>();
        let worker = self.run(async {
            // An error says it too: the sender is gone.
            let _ = is_done.await;
        });
        tokio::pin!(worker);
        tokio::select! {
            ended = &mut worker => ended.and(Err(WorkerError::Run("it was shut down".into()))),
            outcome = work => {
                drop(done);
                worker.await?;
                Ok(outcome)
            }
        }
    }
}

/// Polls for as long as the worker lives, and ends both when it ends.
async fn poll(worker: Option<SdkWorker>, stop: &impl Fn()) -> Result<(), WorkerRunError> {
    let run = worker.map(|mut worker| async move { worker.run().await });
    let Some(ended) = OptionFuture::from(run).await else {
        return Ok(());
    };
    stop();
    ended
}

async fn ingress(
    config: &Config,
    client: &Client,
    questions: &Questions,
) -> Result<Option<Listener>, WorkerError> {
    let Some(address) = config.ingress_address else {
        return Ok(None);
    };
    let handler = CallbackHandler::new(client.clone(), questions.clone(), &config.task_queue);
    let routes = callbacks::routes(&config.accounts, handler);
    let listener = Listener::bind(address, routes).await;
    listener
        .map(Some)
        .map_err(|source| WorkerError::Ingress { address, source })
}
