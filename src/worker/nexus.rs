//! Serves the Nexus service of the archiver, as long as the server has Nexus. Callers without Nexus use the activities, so
//! nothing that goes wrong here ends the worker or makes it unready.

use std::time::Duration;

use temporalio_client::Client;
use tokio::{
    sync::watch,
    time::{Instant, sleep, timeout},
};

use super::{
    monitor,
    nexus_poller::{NexusPoller, Options},
};
use crate::{
    nexus::Service,
    telemetry::rare::RareEvent,
    temporal::{error_text, server},
};

/// Interval between two checks whether the server has Nexus now. It gets it by an upgrade.
const CHECK_INTERVAL: Duration = Duration::from_secs(10 * 60);
/// Pause after polls were rejected. It doubles up to the interval above, because core logs each start and its end.
const MIN_PAUSE: Duration = Duration::from_secs(10);
/// How long polls must have been accepted for the pause to be short again. A server that rejects them does so for a minute.
const SETTLE_TIME: Duration = Duration::from_secs(5 * 60);
/// Timeout of a check.
const CHECK_TIMEOUT: Duration = Duration::from_secs(15);

/// What serves Nexus in a process.
pub(super) struct NexusWorker {
    pub(super) client: Client,
    pub(super) service: Service,
    pub(super) options: Options,
}

/// Whether the server has Nexus.
enum Support {
    Yes,
    No,
    Unknown(String),
}

impl NexusWorker {
    /// Serves requests until a shutdown is requested, then completes those that it received. While the server has no
    /// Nexus, or rejects the polls, keeps trying.
    pub(super) async fn run(&self, stop: watch::Receiver<bool>) {
        let stopped = async || {
            // An error means that the worker is dropped.
            let _ = stop.clone().wait_for(|stop| *stop).await;
        };
        tokio::select! {
            () = self.until_supported() => {}
            () = stopped() => return,
        }
        let task_queue = &self.options.task_queue;
        tracing::info!(task_queue, "polling for Nexus requests");
        let mut event = RareEvent::default();
        let mut pause = MIN_PAUSE;
        loop {
            let started_at = Instant::now();
            let Err(error) = self.poll(stopped()).await else {
                return;
            };
            if started_at.elapsed() >= SETTLE_TIME {
                pause = MIN_PAUSE;
            }
            if event.is_due(&error) {
                tracing::warn!(
                    task_queue,
                    error,
                    "stopped polling for Nexus requests; will start again. The other task queues are not affected"
                );
            }
            tokio::select! {
                () = self.until_usable(pause) => {}
                () = stopped() => return,
            }
            pause = (2 * pause).min(CHECK_INTERVAL);
        }
    }

    async fn poll(&self, stopped: impl Future<Output = ()>) -> Result<(), String> {
        let poller = NexusPoller::new(&self.client, self.options.clone())?;
        poller.run(&self.service, stopped).await
    }

    /// Waits until Temporal can be used, for a pause at least.
    async fn until_usable(&self, pause: Duration) {
        sleep(pause).await;
        monitor::until_usable(&self.client).await;
    }

    /// Waits until the server has Nexus. Says once that it has none.
    async fn until_supported(&self) {
        let mut is_known = false;
        loop {
            match self.support().await {
                Support::Yes => return,
                Support::No if !is_known => {
                    is_known = true;
                    tracing::info!(
                        "the Temporal server has no Nexus: workflows call the activity `AwaitVideoTask` instead"
                    );
                }
                Support::No => {}
                Support::Unknown(error) => {
                    tracing::debug!(error, "cannot tell whether the server has Nexus");
                    monitor::until_usable(&self.client).await;
                    continue;
                }
            }
            sleep(CHECK_INTERVAL).await;
        }
    }

    async fn support(&self) -> Support {
        match timeout(CHECK_TIMEOUT, server::has_nexus(&self.client)).await {
            Ok(Ok(true)) => Support::Yes,
            Ok(Ok(false)) => Support::No,
            Ok(Err(status)) => Support::Unknown(error_text::innermost(&status)),
            Err(_) => Support::Unknown("no response".to_owned()),
        }
    }
}
