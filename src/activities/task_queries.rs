//! Queries tasks, and prepares their records for workflows.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use seedance_archiver_proto::{
    query_result::WorkerFacts,
    status,
    time::unix_seconds,
    v1::{QueryVideoTaskResult, VideoTask},
};

use crate::{
    config::Account,
    seedance::{self, Client, Record},
};

/// Queries tasks for workflows.
#[derive(Clone, Debug)]
pub struct TaskQueries {
    seedance: Client,
    /// Whether lifecycles write search attributes. Clones share it.
    has_search_attributes: Arc<AtomicBool>,
    transfers_task_queue: String,
}

impl TaskQueries {
    /// Returns queries by this client. `has_search_attributes` is whether the search attributes are
    /// registered in the namespace, so that lifecycles write them.
    pub fn new(seedance: Client, has_search_attributes: bool) -> Self {
        Self {
            seedance,
            has_search_attributes: Arc::new(AtomicBool::new(has_search_attributes)),
            transfers_task_queue: String::new(),
        }
    }

    /// Sets whether the search attributes are registered in the namespace.
    pub(crate) fn set_has_search_attributes(&self, has_search_attributes: bool) {
        self.has_search_attributes
            .store(has_search_attributes, Ordering::Relaxed);
    }

    /// Sets the task queue on which this worker serves transfers.
    pub fn with_transfers_on(mut self, task_queue: &str) -> Self {
        self.transfers_task_queue = task_queue.to_owned();
        self
    }

    /// Returns the client.
    pub fn seedance(&self) -> &Client {
        &self.seedance
    }

    /// Queries a task with one request. The URLs in the record are sealed, and its archive deadline is set.
    ///
    /// # Errors
    ///
    /// See [`ErrorKind`](seedance::ErrorKind); `Unauthorized` if the seal keys cannot be read.
    pub async fn query(
        &self,
        account: &Account,
        task_id: &str,
    ) -> Result<VideoTask, seedance::Error> {
        let record = self.seedance.query(&account.endpoint, task_id).await?;
        sealed(account, record)
    }

    /// Returns a task with the facts about this worker.
    pub fn result(&self, task: VideoTask) -> QueryVideoTaskResult {
        let worker = WorkerFacts {
            has_search_attributes: self.has_search_attributes.load(Ordering::Relaxed),
            transfers_task_queue: self.transfers_task_queue.clone(),
        };
        QueryVideoTaskResult::new(task, worker)
    }
}

/// Returns whether a task succeeded but its record has no URL, either not yet or no longer.
pub fn lacks_url(task: &VideoTask) -> bool {
    let content = task.content.as_ref();
    let has_url = content.is_some_and(|it| !it.video_url.is_empty() || !it.file_url.is_empty());
    task.status == status::SUCCEEDED && !has_url
}

fn sealed(account: &Account, record: Record) -> Result<VideoTask, seedance::Error> {
    let deadline = account.deadlines(&record).archive;
    Ok(VideoTask {
        archive_deadline: deadline.map_or(0, unix_seconds),
        ..record.sealed(&account.seal()?)
    })
}
