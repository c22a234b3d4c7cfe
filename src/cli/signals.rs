//! Ctrl-C and SIGTERM.

use tokio::signal::unix::{SignalKind, signal};

/// Somebody asked to stop before the work was done.
#[derive(Debug, thiserror::Error)]
#[error("interrupted")]
pub(super) struct Interrupted;

/// Resolves at the first Ctrl-C (a person) or SIGTERM (an orchestrator).
pub(super) async fn asked_to_stop() {
    let wait = |kind| async move {
        match signal(kind) {
            Ok(mut signals) => {
                signals.recv().await;
            }
            // Without a handler the signal ends the process by itself.
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        () = wait(SignalKind::interrupt()) => {}
        () = wait(SignalKind::terminate()) => {}
    }
}
