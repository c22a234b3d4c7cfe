//! All tasks, and their request counts.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::SystemTime,
};

use parking_lot::Mutex;
use seedance_archiver_proto::status;

use crate::{
    create_request::CreateRequest,
    script::Script,
    task::{Task, Times},
};

/// Request counts of a task.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Stats {
    /// Queries of its record, failed ones included.
    pub queries: u64,
    /// Downloads of its video that returned bytes.
    pub downloads: u64,
    /// Downloads of its video that are in progress.
    pub open_downloads: u64,
    /// Bytes of its video that were sent.
    pub bytes_sent: u64,
    /// Requests for its video that were answered with the status of a busy host.
    pub busy: u64,
    /// Attempts to send a callback about it.
    pub callbacks: u64,
}

/// The tasks, and the counts of every task id that was requested.
#[derive(Default)]
pub(crate) struct Tasks {
    tasks: Mutex<BTreeMap<String, Arc<Task>>>,
    stats: Mutex<BTreeMap<String, Stats>>,
    created: AtomicU64,
    lists: AtomicU64,
}

impl Tasks {
    pub(crate) fn create(&self, request: CreateRequest, script: Script, times: Times) -> Arc<Task> {
        let number = self.created.fetch_add(1, Ordering::Relaxed);
        let task = Arc::new(Task::new(number, request, script, times));
        self.tasks.lock().insert(task.id.clone(), task.clone());
        task
    }

    pub(crate) fn find(&self, id: &str) -> Option<Arc<Task>> {
        self.tasks.lock().get(id).cloned()
    }

    /// Returns all tasks, newest first.
    pub(crate) fn all(&self) -> Vec<Arc<Task>> {
        let mut tasks: Vec<_> = self.tasks.lock().values().cloned().collect();
        tasks.sort_by_key(|task| std::cmp::Reverse((task.created_at, task.number)));
        tasks
    }

    /// Cancels a queued task, or deletes the record of a task that has ended.
    ///
    /// # Errors
    ///
    /// Returns the status as the error if the task is running or cancelled.
    pub(crate) fn delete(&self, task: &Task, now: SystemTime) -> Result<(), &'static str> {
        match task.status(now).0 {
            status @ (status::RUNNING | status::CANCELLED) => return Err(status),
            status::QUEUED => task.cancel(now),
            _ => {
                self.tasks.lock().remove(&task.id);
            }
        }
        Ok(())
    }

    pub(crate) fn stats(&self, id: &str) -> Stats {
        self.stats.lock().get(id).copied().unwrap_or_default()
    }

    pub(crate) fn count(&self, id: &str, change: impl FnOnce(&mut Stats)) {
        change(self.stats.lock().entry(id.to_owned()).or_default());
    }

    /// Returns the number of list requests, failed ones included.
    pub(crate) fn lists(&self) -> u64 {
        self.lists.load(Ordering::Relaxed)
    }

    pub(crate) fn count_list(&self) {
        self.lists.fetch_add(1, Ordering::Relaxed);
    }
}
