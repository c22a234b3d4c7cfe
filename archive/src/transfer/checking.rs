//! The checks of a transfer. They run on threads of their own, beside the download and the upload, and read the bytes
//! where these are.

use std::{
    num::NonZero,
    sync::{Arc, LazyLock},
    thread,
};

use object_store::PutPayload;
use tokio::{
    sync::{Mutex, MutexGuard, Semaphore, oneshot},
    task::spawn_blocking,
};

use crate::checks::{RunningChecks, SavedChecks};

/// Bounds the number of threads that check bytes, so that one processor is left to everything else: polls and transfers
/// must not wait for digests.
static THREADS: LazyLock<Semaphore> = LazyLock::new(|| {
    let processors = thread::available_parallelism().map_or(1, NonZero::get);
    Semaphore::new(processors.saturating_sub(1).max(1))
});

/// The checks of the bytes so far. A thread that checks bytes holds the lock.
pub(super) struct Checking(Arc<Mutex<RunningChecks>>);

/// The state of the checks after the bytes of one update, once they are checked. `None`: no process can resume from it.
pub(super) type StateAfter = oneshot::Receiver<Option<SavedChecks>>;

impl Checking {
    pub(super) fn new(checks: RunningChecks) -> Self {
        Self(Arc::new(Mutex::new(checks)))
    }

    /// Waits until all bytes so far are checked.
    pub(super) async fn finished(&self) -> MutexGuard<'_, RunningChecks> {
        self.0.lock().await
    }

    /// Waits until the bytes before these are checked, and starts to check these. `offset`: the number of bytes before.
    pub(super) async fn update(&self, bytes: PutPayload, offset: u64) -> StateAfter {
        let (state, state_after) = oneshot::channel();
        let mut checks = self.0.clone().lock_owned().await;
        tokio::spawn(async move {
            // The semaphore is never closed, so this never fails.
            let _permit = THREADS.acquire().await;
            let check = move || {
                // Bytes are missing if a check panicked. No attempt may resume from here then.
                if checks.length() != offset {
                    return;
                }
                for chunk in &bytes {
                    checks.update(chunk);
                }
                // Fails if the transfer has ended.
                let _ = state.send(checks.save());
            };
            // Fails if a check panics.
            let _ = spawn_blocking(check).await;
        });
        state_after
    }
}
