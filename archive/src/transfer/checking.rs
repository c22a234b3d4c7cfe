//! The checks of a transfer. They run on threads of their own, beside the download and the upload, and read the bytes
//! where these are.

use std::{
    mem,
    num::NonZero,
    sync::{Arc, LazyLock},
    thread,
};

use object_store::PutPayload;
use tokio::{
    sync::{Mutex, MutexGuard, Semaphore, oneshot},
    task::spawn_blocking,
};

use crate::{
    Error, ObjectKind,
    checks::{DeclaredObject, RunningChecks, SavedChecks},
};

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

    /// Waits until all `length` bytes of the object are checked, and takes the checks.
    ///
    /// # Errors
    ///
    /// Returns an error if a check panicked.
    pub(super) async fn take(&self, kind: ObjectKind, length: u64) -> Result<RunningChecks, Error> {
        let unused = RunningChecks::new(kind, DeclaredObject::default());
        let checks = mem::replace(&mut *self.finished().await, unused);
        let checked = checks.length();
        if checked == length {
            return Ok(checks);
        }
        Err(Error::Internal(format!(
            "a check of the {} panicked after {checked} of {length} bytes",
            kind.name()
        )))
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

#[cfg(test)]
mod tests {
    use seedance_archiver_proto::names::failure;

    use super::*;

    #[tokio::test]
    async fn bytes_that_no_check_saw_are_an_internal_error() {
        let kind = ObjectKind::Video;
        let checking = Checking::new(RunningChecks::new(kind, DeclaredObject::default()));
        let state = checking.update("0123".into(), 0).await;
        assert!(state.await.is_ok());
        // As after a panic: the checks are not at the offset of the next bytes.
        let state = checking.update("89".into(), 8).await;
        assert!(state.await.is_err(), "no attempt may resume from here");
        let error = checking.take(kind, 10).await.err().unwrap();
        let text = "internal error: a check of the video panicked after 4 of 10 bytes";
        assert_eq!(error.to_string(), text);
        assert_eq!(error.failure_type(), failure::CORRUPT_VIDEO);
    }

    #[tokio::test]
    async fn the_checks_of_all_bytes_are_taken() {
        let kind = ObjectKind::Video;
        let checking = Checking::new(RunningChecks::new(kind, DeclaredObject::default()));
        for (bytes, offset) in [("0123", 0), ("4567", 4)] {
            drop(checking.update(bytes.into(), offset).await);
        }
        let checks = checking.take(kind, 8).await.unwrap();
        assert_eq!(checks.length(), 8);
    }
}
