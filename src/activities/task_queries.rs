//! Queries tasks, and prepares their records for workflows.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use seedance_archiver_proto::{
    query_result::WorkerFacts,
    status,
    time::unix_seconds,
    v1::{QueryVideoTaskResult, VideoTask},
};

use super::{
    completed_tasks::CompletedTasks, learned_times::LearnedTimes, watched_accounts::WatchedAccounts,
};
use crate::{
    config::Account,
    seedance::{self, Client, Record},
    temporal::search_attributes::Registered,
};

/// A task, prepared for workflows.
#[derive(Clone, Debug)]
pub struct SealedTask {
    /// The task. Its URLs are sealed, and its archive deadline is set.
    pub task: VideoTask,
    /// The record of a succeeded task as received, sealed. Empty: the record is too large.
    pub record: String,
}

/// Queries tasks for workflows.
#[derive(Clone, Debug)]
pub struct TaskQueries {
    seedance: Client,
    /// Whether lifecycles write search attributes. Clones share it.
    has_search_attributes: Arc<AtomicBool>,
    /// Whether they write those of drafts too. Clones share it.
    has_draft_attributes: Arc<AtomicBool>,
    /// Whether they write that of users too. Clones share it.
    has_user_attribute: Arc<AtomicBool>,
    transfers_task_queue: String,
    times: LearnedTimes,
    completed: CompletedTasks,
    watched: WatchedAccounts,
}

impl TaskQueries {
    /// Returns queries by this client. Lifecycles write the search attributes that are registered in the namespace.
    pub fn new(seedance: Client, registered: Registered) -> Self {
        Self {
            seedance,
            has_search_attributes: Arc::new(AtomicBool::new(registered.of_tasks)),
            has_draft_attributes: Arc::new(AtomicBool::new(registered.of_drafts)),
            has_user_attribute: Arc::new(AtomicBool::new(registered.of_users)),
            transfers_task_queue: String::new(),
            times: LearnedTimes::default(),
            completed: CompletedTasks::default(),
            watched: WatchedAccounts::default(),
        }
    }

    /// Returns which search attributes lifecycles write.
    pub(crate) fn registered(&self) -> Registered {
        Registered {
            of_tasks: self.has_search_attributes(),
            of_drafts: self.has_draft_attributes.load(Ordering::Relaxed),
            of_users: self.has_user_attribute.load(Ordering::Relaxed),
        }
    }

    /// Sets which search attributes are registered in the namespace.
    pub(crate) fn set_registered(&self, registered: Registered) {
        let of_tasks = &self.has_search_attributes;
        of_tasks.store(registered.of_tasks, Ordering::Relaxed);
        let of_drafts = &self.has_draft_attributes;
        of_drafts.store(registered.of_drafts, Ordering::Relaxed);
        let of_users = &self.has_user_attribute;
        of_users.store(registered.of_users, Ordering::Relaxed);
    }

    /// Sets the task queue on which this worker serves transfers.
    pub fn with_transfers_on(mut self, task_queue: &str) -> Self {
        self.transfers_task_queue = task_queue.to_owned();
        self
    }

    /// Returns what this worker has learned about how long tasks take.
    pub(super) fn times(&self) -> &LearnedTimes {
        &self.times
    }

    /// Returns what this worker has read of completed lifecycles.
    pub(super) fn completed(&self) -> &CompletedTasks {
        &self.completed
    }

    /// Returns the accounts that this worker watches now.
    pub(crate) fn watched(&self) -> &WatchedAccounts {
        &self.watched
    }

    /// Returns whether lifecycles write search attributes.
    pub(super) fn has_search_attributes(&self) -> bool {
        self.has_search_attributes.load(Ordering::Relaxed)
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
        let sealed = self.query_with_record(account, task_id).await?;
        Ok(sealed.task)
    }

    /// Queries a task with one request, and keeps its record for the archive.
    ///
    /// # Errors
    ///
    /// As for [`TaskQueries::query`].
    pub async fn query_with_record(
        &self,
        account: &Account,
        task_id: &str,
    ) -> Result<SealedTask, seedance::Error> {
        self.query_in_window(account, task_id, Duration::MAX).await
    }

    /// Queries a task with one request before its query window closes, and keeps its record for the archive. `left` is the
    /// time until then.
    ///
    /// # Errors
    ///
    /// As for [`TaskQueries::query`].
    pub async fn query_in_window(
        &self,
        account: &Account,
        task_id: &str,
        left: Duration,
    ) -> Result<SealedTask, seedance::Error> {
        let record = self
            .seedance
            .query_in_window(&account.endpoint, task_id, left);
        sealed(account, record.await?)
    }

    /// Returns a task and its record with all facts about this worker, for a caller that sets `with_record`.
    pub fn result_with_record(&self, sealed: SealedTask) -> QueryVideoTaskResult {
        QueryVideoTaskResult {
            sealed_record: sealed.record,
            has_draft_attributes: self.has_draft_attributes.load(Ordering::Relaxed),
            has_user_attribute: self.has_user_attribute.load(Ordering::Relaxed),
            ..self.result(sealed.task)
        }
    }

    /// Returns a task with the facts about this worker that every caller knows.
    pub fn result(&self, task: VideoTask) -> QueryVideoTaskResult {
        let worker = WorkerFacts {
            has_search_attributes: self.has_search_attributes(),
            has_draft_attributes: false,
            has_user_attribute: false,
            transfers_task_queue: self.transfers_task_queue.clone(),
        };
        QueryVideoTaskResult::new(task, worker)
    }
}

/// Prepares a record for workflows. Its text is sealed only if the task succeeded: no other record is archived before its
/// lifecycle ends.
///
/// # Errors
///
/// Returns `Unauthorized` if the seal keys cannot be read.
pub(crate) fn sealed(account: &Account, record: Record) -> Result<SealedTask, seedance::Error> {
    let seal = account.seal()?;
    let text = match record.status() {
        status::SUCCEEDED => seal.seal_record(record.id(), record.as_received()),
        _ => None,
    };
    let deadline = account.deadlines(&record).archive;
    Ok(SealedTask {
        task: VideoTask {
            archive_deadline: deadline.map_or(0, unix_seconds),
            ..record.sealed(&seal)
        },
        record: text.unwrap_or_default(),
    })
}
