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
    /// Listens for SIGINT (Ctrl-C), SIGTERM (an orchestrator) and SIGHUP (a closed terminal), except SIGINT and SIGHUP if
    /// whoever started this process had them ignored. SIGTERM must always drain a worker.
    pub(super) fn listen() -> std::io::Result<Self> {
        let ignored = ignored_signals();
        let mut interrupt = listen_unless(ignored, SignalKind::interrupt())?;
        let mut terminate = Some(signal(SignalKind::terminate())?);
        let mut hang_up = listen_unless(ignored, SignalKind::hangup())?;
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

    /// Runs `read` on a thread of its own until it is done: reading a terminal or a pipe blocks, and may never end.
    ///
    /// # Errors
    ///
    /// The error of `read`, or [`Interrupted`] if a shutdown is requested before `read` is done.
    pub(super) async fn read_until_requested<T: Send + 'static>(
        &self,
        read: impl FnOnce() -> anyhow::Result<T> + Send + 'static,
    ) -> anyhow::Result<T> {
        let read = tokio::task::spawn_blocking(read);
        self.run_until_requested(async { read.await? }).await
    }
}

/// Returns the signals that this process ignores, as a bit mask. `nohup` ignores SIGHUP, and a script ignores SIGINT of its
/// background commands. Only Linux says which ones; elsewhere none counts as ignored.
fn ignored_signals() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status");
    status.map_or(0, |status| ignored_in(&status))
}

fn ignored_in(status: &str) -> u64 {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .unwrap_or_default()
}

/// Listens for a signal unless it is ignored: a listener would end that.
fn listen_unless(ignored: u64, kind: SignalKind) -> std::io::Result<Option<Signal>> {
    match is_in(ignored, kind) {
        true => Ok(None),
        false => signal(kind).map(Some),
    }
}

fn is_in(mask: u64, kind: SignalKind) -> bool {
    // Signals are numbered from 1.
    let bit = kind.as_raw_value() - 1;
    (mask >> bit) & 1 == 1
}

async fn next(signals: &mut Option<Signal>) {
    let received = match signals {
        Some(signals) => signals.recv().await,
        None => None,
    };
    if received.is_none() {
        std::future::pending().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_says_which_signals_are_ignored() {
        let ignored =
            ignored_in("Name:\tsh\nSigBlk:\t0000000000000002\nSigIgn:\t0000000000001001\n");
        assert!(is_in(ignored, SignalKind::hangup()));
        assert!(is_in(ignored, SignalKind::pipe()));
        assert!(!is_in(ignored, SignalKind::interrupt()));
        assert_eq!(ignored_in("Name:\tsh\n"), 0);
    }
}
