//! Keeps an SDK worker polling. The SDK retries polls while the server is unavailable, but stops if the server rejects
//! them for a minute: because the namespace is missing, for example, or access to it is denied.

use std::time::Duration;

use temporalio_client::Client;
use temporalio_sdk::{Worker as SdkWorker, WorkerRunError};
use tokio::{sync::watch, time::sleep};

use super::{error::WorkerError, monitor};
use crate::{
    ports::health::{Health, Wait},
    telemetry::rare::RareEvent,
    temporal::error_text,
};

/// How long an SDK worker must run to count as polling.
const SETTLE_TIME: Duration = Duration::from_secs(15);

/// Runs the SDK workers of one task queue, one after the other.
pub(super) struct Supervisor<'a> {
    pub(super) client: &'a Client,
    pub(super) health: &'a Health,
    /// Becomes `true` when a shutdown is requested.
    pub(super) stop: watch::Receiver<bool>,
}

impl Supervisor<'_> {
    /// Polls until a shutdown is requested, then drains. If `worker` stops by itself, replaces it by another one, which
    /// `create` returns. The activities that it still runs continue, and report their results.
    ///
    /// # Errors
    ///
    /// Returns the error of `create`, or of the SDK if it cannot drain.
    pub(super) async fn run(
        &self,
        mut worker: SdkWorker,
        create: impl AsyncFn() -> Result<SdkWorker, WorkerError>,
    ) -> Result<(), WorkerError> {
        let mut event = RareEvent::default();
        let mut wait = None;
        loop {
            let Err(error) = self.poll(&mut worker, &mut wait).await else {
                return Ok(());
            };
            if self.is_stopping() {
                return match error {
                    // It polled nothing, so there is nothing to drain.
                    WorkerRunError::Validation(_) => Ok(()),
                    error => Err(WorkerError::Run(error.to_string())),
                };
            }
            // Otherwise the client would not accept another worker of the task queue.
            worker.shutdown_handle()();
            wait.get_or_insert_with(|| self.health.wait());
            let task_queue = worker.task_queue();
            let error = error_text::innermost(&error);
            if event.is_due(&error) {
                tracing::warn!(task_queue, error, "stopped polling; will start again");
            }
            tokio::select! {
                () = monitor::until_usable(self.client) => {}
                () = self.stop_requested() => return Ok(()),
            }
            worker = create().await?;
        }
    }

    /// Runs an SDK worker until it stops. Drops `wait` once it polls.
    async fn poll(
        &self,
        worker: &mut SdkWorker,
        wait: &mut Option<Wait>,
    ) -> Result<(), WorkerRunError> {
        let task_queue = worker.task_queue().to_owned();
        let shut_down = worker.shutdown_handle();
        let run = worker.run();
        tokio::pin!(run);
        loop {
            tokio::select! {
                ended = &mut run => return ended,
                () = self.stop_requested() => {
                    shut_down();
                    return run.await;
                }
                () = sleep(SETTLE_TIME), if wait.is_some() => {
                    *wait = None;
                    tracing::info!(task_queue, "polling again");
                }
            }
        }
    }

    fn is_stopping(&self) -> bool {
        *self.stop.borrow()
    }

    async fn stop_requested(&self) {
        // An error means that the worker is dropped.
        let _ = self.stop.clone().wait_for(|stop| *stop).await;
    }
}
