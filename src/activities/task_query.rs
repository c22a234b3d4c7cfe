//! Asks about a task, and words the answer as the contract has it.

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

/// Asks about tasks for workflows.
#[derive(Clone, Debug)]
pub struct Questions {
    seedance: Client,
    worker: WorkerFacts,
}

impl Questions {
    /// Questions by this client. Lifecycles are told whether the search attributes are registered.
    pub fn new(seedance: Client, has_search_attributes: bool) -> Self {
        Self {
            seedance,
            worker: WorkerFacts {
                has_search_attributes,
                transfers_task_queue: String::new(),
            },
        }
    }

    /// The same of a worker that serves transfers on this task queue.
    pub fn with_transfers_on(mut self, task_queue: &str) -> Self {
        self.worker.transfers_task_queue = task_queue.to_owned();
        self
    }

    /// The client.
    pub fn seedance(&self) -> &Client {
        &self.seedance
    }

    /// The record as workflows see it: one request.
    pub async fn ask(
        &self,
        account: &Account,
        task_id: &str,
    ) -> Result<VideoTask, seedance::Error> {
        let record = self.seedance.query(&account.endpoint, task_id).await?;
        sealed(account, record)
    }

    /// Returns a task with the facts about this worker.
    pub fn result(&self, task: VideoTask) -> QueryVideoTaskResult {
        QueryVideoTaskResult::new(task, self.worker.clone())
    }
}

/// Whether a task has succeeded and there is nothing to fetch: not yet, or no longer.
pub fn lacks_url(task: &VideoTask) -> bool {
    let content = task.content.as_ref();
    let has_url = content.is_some_and(|it| !it.video_url.is_empty() || !it.file_url.is_empty());
    task.status == status::SUCCEEDED && !has_url
}

/// Returns a record with its URLs sealed and its archive deadline set.
fn sealed(account: &Account, record: Record) -> Result<VideoTask, seedance::Error> {
    let deadline = account.deadlines(&record).archive;
    Ok(VideoTask {
        archive_deadline: deadline.map_or(0, unix_seconds),
        ..record.sealed(&account.seal()?)
    })
}
