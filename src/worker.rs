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

use std::{net::SocketAddr, time::Duration};

use seedance_archiver_proto::names;
use temporalio_client::Client;
use temporalio_sdk::{
    Runtime, Worker as SdkWorker, WorkerOptions,
    runtime::worker_tuner::{FixedSizeSlotSupplier, TunerHolder},
};
use tokio::sync::oneshot;

use crate::{
    activities::{AT_ONCE, CannotServe},
    config::Config,
    ingress::{Deliveries, Ingress},
    plugin::Plugin,
    questions::Questions,
};

/// How long transfers may go on after a shutdown was asked for, before they are cancelled.
const GRACE: Duration = Duration::from_secs(10);
/// Heartbeats carry progress that people watch.
const HEARTBEAT_THROTTLE: Duration = Duration::from_secs(1);

/// A worker that serves the task queue of its configuration and the transfers queue beside it.
pub struct Worker {
    questions: SdkWorker,
    transfers: SdkWorker,
    ingress: Option<Ingress>,
}

/// Why a worker cannot start or go on.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    /// The accounts cannot be served.
    #[error(transparent)]
    Accounts(#[from] CannotServe),
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
        let ingress = ingress(config, client, plugin.questions()).await?;

        let mut questions = WorkerOptions::new(config.task_queue.as_str())
            .graceful_shutdown_period(GRACE)
            .build();
        plugin
            .register_questions(&mut questions)
            .map_err(|error| WorkerError::Setup(error.to_string()))?;
        let mut transfers = WorkerOptions::new(names::transfers_task_queue(&config.task_queue))
            .graceful_shutdown_period(GRACE)
            .max_heartbeat_throttle_interval(HEARTBEAT_THROTTLE)
            .tuner(slots_for(AT_ONCE))
            .build();
        plugin.register_transfers(&mut transfers);
        let start = |options| {
            SdkWorker::new(runtime, client.clone(), options)
                .map_err(|error| WorkerError::Setup(error.to_string()))
        };
        Ok(Self {
            questions: start(questions)?,
            transfers: start(transfers)?,
            ingress,
        })
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
        let ingress = self.ingress.take().map(Ingress::start);
        let stop_questions = self.questions.shutdown_handle();
        let stop_transfers = self.transfers.shutdown_handle();
        let stop = || {
            stop_questions();
            stop_transfers();
        };
        // Where one worker fails, the other must not go on alone.
        let questions = async {
            let ended = self.questions.run().await;
            stop();
            ended
        };
        let transfers = async {
            let ended = self.transfers.run().await;
            stop();
            ended
        };
        let run = async { futures::join!(questions, transfers) };
        tokio::pin!(run);
        let ended = tokio::select! {
            ended = &mut run => Some(ended),
            () = shutdown => None,
        };
        // What calls in needs workers that still poll.
        if let Some(ingress) = ingress {
            ingress.stop().await;
        }
        let (questions, transfers) = match ended {
            Some(ended) => ended,
            None => {
                stop();
                run.await
            }
        };
        questions
            .and(transfers)
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

/// Slots for so many activities.
fn slots_for(activities: usize) -> TunerHolder {
    let other = || FixedSizeSlotSupplier::new(1);
    TunerHolder::builder()
        .workflow_task_slot_supplier(other())
        .activity_task_slot_supplier(FixedSizeSlotSupplier::new(activities))
        .local_activity_task_slot_supplier(other())
        .nexus_task_slot_supplier(other())
        .build()
}

async fn ingress(
    config: &Config,
    client: &Client,
    questions: &Questions,
) -> Result<Option<Ingress>, WorkerError> {
    let Some(address) = config.ingress_address else {
        return Ok(None);
    };
    let deliveries = Deliveries::new(client.clone(), questions.clone(), &config.task_queue);
    let ingress = Ingress::bind(address, &config.accounts, deliveries).await;
    ingress
        .map(Some)
        .map_err(|source| WorkerError::Ingress { address, source })
}
