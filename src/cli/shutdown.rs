//! Shutdown requests: signals from the terminal or an orchestrator.

use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::watch,
};

/// A shutdown was requested before the work was done.
#[derive(Debug, thiserror::Error)]
#[error("interrupted: stopped everything that this command had started")]
pub(super) struct Interrupted;

/// Counts the shutdown requests since the process started. It listens from the start, so that no Ctrl-C
/// is lost between two steps.
#[derive(Clone, Debug)]
pub(super) struct Shutdown(watch::Receiver<u32>);

impl Shutdown {
    /// Listens for SIGINT (Ctrl-C), SIGTERM (an orchestrator) and SIGHUP (a closed terminal).
    pub(super) fn listen() -> std::io::Result<Self> {
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let mut hang_up = signal(SignalKind::hangup())?;
        let (requests, receiver) = watch::channel(0);
        tokio::spawn(async move {
            while !requests.is_closed() {
                tokio::select! {
                    () = next(&mut interrupt) => {}
                    () = next(&mut terminate) => {}
                    () = next(&mut hang_up) => {}
                    () = requests.closed() => return,
                }
                requests.send_modify(|count| *count += 1);
            }
        });
        Ok(Self(receiver))
    }

    /// Resolves once a shutdown is requested.
    pub(super) async fn requested(&self) {
        self.requested_times(1).await;
    }

    /// Resolves once a shutdown is requested for the second time: stop without draining.
    pub(super) async fn forced(&self) {
        self.requested_times(2).await;
    }

    async fn requested_times(&self, min_count: u32) {
        // The sender lives as long as there is a receiver, so this cannot fail.
        let _ = self.0.clone().wait_for(|count| *count >= min_count).await;
    }

    /// Runs `work` until it is done.
    ///
    /// # Errors
    ///
    /// The error of `work`, or [`Interrupted`] if a shutdown is requested before `work` is done.
    pub(super) async fn run_until_requested<T>(
        &self,
        work: impl Future<Output = anyhow::Result<T>>,
    ) -> anyhow::Result<T> {
        tokio::select! {
            result = work => result,
            () = self.requested() => Err(Interrupted.into()),
        }
    }
}

async fn next(signals: &mut Signal) {
    if signals.recv().await.is_none() {
        std::future::pending().await
    }
}
