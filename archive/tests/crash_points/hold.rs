//! Suspends a process, so that others can act meanwhile.

use std::{fmt::Debug, sync::Arc};

use tokio::{sync::Notify, task::JoinHandle};

/// A point at which a process is suspended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Point {
    /// Before the upload of the first part.
    FirstPart,
    /// Before the completion of an upload.
    Completion,
    /// After an upload was completed, before the process receives the result.
    Completed,
    /// Before the operation that creates the object under its final key.
    Publication,
}

/// Suspends a process.
#[derive(Clone, Default)]
pub(crate) struct Hold(Arc<(Notify, Notify)>);

impl Hold {
    pub(crate) async fn wait(&self) {
        self.0.0.notify_one();
        self.0.1.notified().await;
    }

    pub(crate) async fn reached(&self) {
        self.0.0.notified().await;
    }

    /// Waits until a process is suspended. Panics if the process ends before, because the wait would never end.
    pub(crate) async fn reached_by<T: Debug>(&self, process: &mut JoinHandle<T>) {
        tokio::select! {
            biased;
            () = self.reached() => {}
            ended = process => panic!("the process was not suspended: {ended:?}"),
        }
    }

    pub(crate) fn release(&self) {
        self.0.1.notify_one();
    }
}
