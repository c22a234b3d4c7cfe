//! The parts of a run, each of which can be killed and started again.

mod directories;
mod disk;
mod endpoints;
mod part;
mod store;
mod temporal;
mod worker;

use std::{sync::Arc, time::Duration};

use tokio::{sync::Mutex, task::JoinHandle};

pub(super) use disk::{Disk, Disks, Mounted};
pub(super) use endpoints::{Links, Targets};
pub(super) use part::{Exit, Part};
pub(super) use store::Store;
pub(super) use temporal::Temporal;
pub(super) use worker::{Incarnation, TASK_QUEUE, Worker, WorkerSettings, can_set_clock};

/// How often parts that have exited are started again.
const KEEPER_INTERVAL: Duration = Duration::from_millis(500);

/// A part that faults and the keeper share.
pub(super) type Shared<T> = Arc<Mutex<T>>;

/// Everything that runs besides the APIs and the callers.
pub(super) struct Parts {
    pub(super) workers: Vec<Shared<Worker>>,
    pub(super) temporal: Shared<Temporal>,
    pub(super) store: Shared<Store>,
    pub(super) disks: Disks,
    pub(super) links: Arc<Links>,
    keeper: JoinHandle<()>,
}

impl Parts {
    pub(super) fn new(
        workers: Vec<Worker>,
        temporal: Temporal,
        store: Store,
        disks: Disks,
        links: Links,
    ) -> Self {
        let workers: Vec<_> = workers
            .into_iter()
            .map(|worker| Arc::new(Mutex::new(worker)))
            .collect();
        let temporal = Arc::new(Mutex::new(temporal));
        let store = Arc::new(Mutex::new(store));
        let keeper = tokio::spawn(keep(workers.clone(), temporal.clone(), store.clone()));
        Self {
            workers,
            temporal,
            store,
            disks,
            links: Arc::new(links),
            keeper,
        }
    }

    /// Stops the workers, so that they write nothing more.
    pub(super) async fn stop_workers(&self) {
        for worker in &self.workers {
            worker.lock().await.stop();
        }
    }

    /// Stops everything else.
    pub(super) async fn stop_servers(&self) {
        self.temporal.lock().await.stop();
        self.store.lock().await.part.stop();
    }
}

impl Drop for Parts {
    fn drop(&mut self) {
        self.keeper.abort();
    }
}

/// Starts parts again that have exited by themselves, as an orchestrator does.
async fn keep(workers: Vec<Shared<Worker>>, temporal: Shared<Temporal>, store: Shared<Store>) {
    loop {
        tokio::time::sleep(KEEPER_INTERVAL).await;
        // A part that is locked is being changed.
        for worker in &workers {
            if let Ok(mut worker) = worker.try_lock() {
                worker.keep();
            }
        }
        if let Ok(mut temporal) = temporal.try_lock() {
            temporal.keep();
        }
        if let Ok(mut store) = store.try_lock() {
            store.part.keep();
        }
    }
}
