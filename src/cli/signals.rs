//! Signals that ask to stop.

use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::watch,
};

/// Somebody asked to stop before the work was done.
#[derive(Debug, thiserror::Error)]
#[error("interrupted; everything that was started here is stopped")]
pub(super) struct Interrupted;

/// Whether somebody asked to stop. It listens from its beginning on, so that a Ctrl-C between two
/// steps is not lost.
#[derive(Clone, Debug)]
pub(super) struct Stop(watch::Receiver<bool>);

impl Stop {
    /// Listens for Ctrl-C (a person), SIGTERM (an orchestrator) and SIGHUP (a terminal that closes).
    pub(super) fn listen() -> std::io::Result<Self> {
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let mut hang_up = signal(SignalKind::hangup())?;
        let (asked, receiver) = watch::channel(false);
        tokio::spawn(async move {
            tokio::select! {
                () = first(&mut interrupt) => {}
                () = first(&mut terminate) => {}
                () = first(&mut hang_up) => {}
            }
            // An error means that nobody waits any more.
            let _ = asked.send(true);
        });
        Ok(Self(receiver))
    }

    /// Resolves once somebody asked to stop.
    pub(super) async fn asked(&self) {
        // The sender goes only after it has sent.
        let _ = self.0.clone().wait_for(|asked| *asked).await;
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
