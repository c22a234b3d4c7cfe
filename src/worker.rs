//! The worker: two SDK workers in one process, one for workflows and questions, one for transfers,
//! so that a long transfer never holds up a question.

use std::time::Duration;

use seedance_archiver_proto::names;
use seedance_archiver_workflows::VideoTaskLifecycle;
use temporalio_client::Client;
use temporalio_sdk::{Runtime, Worker as SdkWorker, WorkerOptions};
use tokio::sync::oneshot;

use crate::{
    activities::{QueryActivities, TransferActivities},
    archive::{Archive, CannotOpenArchive},
    config::Config,
    http, search_attributes, seedance,
};

/// How long transfers may go on after a shutdown was asked for, before they are cancelled.
const GRACE: Duration = Duration::from_secs(10);
/// Heartbeats carry progress that people watch.
const HEARTBEAT_THROTTLE: Duration = Duration::from_secs(1);

/// A worker that serves the task queue of its configuration and the transfers queue beside it.
pub struct Worker {
    questions: SdkWorker,
    transfers: SdkWorker,
}

/// Why a worker cannot start or go on.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    /// The archive cannot be opened.
    #[error(transparent)]
    Archive(#[from] CannotOpenArchive),
    /// The HTTP client cannot be made.
    #[error("cannot make the HTTP client: {0}")]
    Http(String),
    /// The SDK refuses its configuration.
    #[error("cannot set up the Temporal worker: {0}")]
    Setup(String),
    /// The SDK stopped with an error.
    #[error("the Temporal worker stopped: {0}")]
    Run(String),
}

impl Worker {
    /// Registers everything with the SDK. Nothing is polled yet.
    pub async fn new(
        runtime: &Runtime,
        client: &Client,
        config: &Config,
    ) -> Result<Self, WorkerError> {
        let archive = Archive::open(&config.archive_url)?;
        let http = http::client().map_err(|error| WorkerError::Http(http::describe(error)))?;
        let seedance = seedance::Client::new(http.clone());
        let questions = QueryActivities::new(
            config.accounts.clone(),
            seedance.clone(),
            search_attributes::are_registered(client).await,
        );
        let transfers = TransferActivities::new(config.accounts.clone(), seedance, http, archive);

        let questions = WorkerOptions::new(config.task_queue.as_str())
            .graceful_shutdown_period(GRACE)
            .register_workflow::<VideoTaskLifecycle>()
            .map_err(|error| WorkerError::Setup(error.to_string()))?
            .register_activities(questions)
            .build();
        let transfers = WorkerOptions::new(names::transfers_task_queue(&config.task_queue))
            .graceful_shutdown_period(GRACE)
            .max_heartbeat_throttle_interval(HEARTBEAT_THROTTLE)
            .register_activities(transfers)
            .build();
        let start = |options| {
            SdkWorker::new(runtime, client.clone(), options)
                .map_err(|error| WorkerError::Setup(error.to_string()))
        };
        Ok(Self {
            questions: start(questions)?,
            transfers: start(transfers)?,
        })
    }

    /// Polls until `shutdown` resolves, then drains. Not `Send`: run it on the task that `main`
    /// blocks on, or in a `LocalSet`.
    pub async fn run(mut self, shutdown: impl Future<Output = ()>) -> Result<(), WorkerError> {
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
        let (questions, transfers) = tokio::select! {
            ended = &mut run => ended,
            () = shutdown => {
                stop();
                run.await
            }
        };
        questions
            .and(transfers)
            .map_err(|error| WorkerError::Run(error.to_string()))
    }

    /// Polls while `work` goes on, then drains. Where polling ends first, so does the work.
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
