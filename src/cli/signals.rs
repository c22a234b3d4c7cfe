//! Signals that ask to stop.

use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::watch,
};

/// Somebody asked to stop before the work was done.
#[derive(Debug, thiserror::Error)]
#[error("interrupted; everything that was started here is stopped")]
pub(super) struct Interrupted;

/// How often somebody asked to stop. It listens from its beginning on, so that a Ctrl-C between two
/// steps is not lost.
#[derive(Clone, Debug)]
pub(super) struct Stop(watch::Receiver<u32>);

impl Stop {
    /// Listens for Ctrl-C (a person), SIGTERM (an orchestrator) and SIGHUP (a terminal that closes).
    pub(super) fn listen() -> std::io::Result<Self> {
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let mut hang_up = signal(SignalKind::hangup())?;
        let (asked, receiver) = watch::channel(0);
        tokio::spawn(async move {
            // Until nobody waits any more.
            while !asked.is_closed() {
                tokio::select! {
                    () = first(&mut interrupt) => {}
                    () = first(&mut terminate) => {}
                    () = first(&mut hang_up) => {}
                    () = asked.closed() => return,
                }
                asked.send_modify(|times| *times += 1);
            }
        });
        Ok(Self(receiver))
    }

    /// Resolves once somebody asked to stop.
    pub(super) async fn asked(&self) {
        self.asked_times(1).await;
    }

    /// Resolves once somebody asked again, and so cannot wait.
    pub(super) async fn asked_again(&self) {
        self.asked_times(2).await;
    }

    async fn asked_times(&self, least: u32) {
        // The sender lives for as long as anybody waits.
        let _ = self.0.clone().wait_for(|times| *times >= least).await;
    }

    /// Runs `work` until it is done or somebody asks to stop.
    pub(super) async fn unless_asked<T>(
        &self,
        work: impl Future<Output = anyhow::Result<T>>,
    ) -> anyhow::Result<T> {
        tokio::select! {
            outcome = work => outcome,
            () = self.asked() => Err(Interrupted.into()),
        }
    }
}

async fn first(signals: &mut Signal) {
    if signals.recv().await.is_none() {
        std::future::pending().await
    }
}
