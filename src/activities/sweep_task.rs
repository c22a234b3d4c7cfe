//! The part of a sweep that handles one task: starts a lifecycle if the task has neither a lifecycle nor a record
//! in the archive.

use std::time::SystemTime;

use seedance_archiver_clock::Clock;
use seedance_archiver_policy::sweeps;
use seedance_archiver_proto::{
    names::failure, time::from_unix_seconds, v1::VideoTaskLifecycleRequest,
};
use temporalio_client::Client as TemporalClient;

use super::{
    finished_tasks::{Ending, FinishedTasks},
    sweep_account::SweepAccount,
    transfer_error::TransferError,
};
use crate::{
    archive::{Archive, Layout, receipt},
    seedance::Record,
    temporal::lifecycles::{self, Lifecycle, LifecycleError},
};

/// The context that the tasks of a page share.
pub(super) struct TaskSweep<'a> {
    pub(super) account: &'a SweepAccount,
    /// The destination of the request, or the archive of the worker.
    pub(super) archive: &'a Archive,
    /// Archive URL of the request. If empty, the archive of the worker is used.
    pub(super) destination: &'a str,
    pub(super) finished_tasks: &'a FinishedTasks,
    pub(super) clock: &'a Clock,
    pub(super) temporal: TemporalClient,
    /// Task queue of new lifecycles.
    pub(super) task_queue: &'a str,
}

/// The state of a task after the sweep handled it.
pub(super) enum TaskState {
    /// The archive has a record of its end, or its lifecycle ended a short time ago.
    Finished(Ending),
    /// Its lifecycle was running already.
    Running,
    /// Its lifecycle was started by this sweep.
    Started,
}

impl TaskSweep<'_> {
    /// Starts the lifecycle of a task if it needs one.
    pub(super) async fn sweep(&self, record: &Record) -> Result<TaskState, TransferError> {
        if let Some(ending) = self.ending(record).await? {
            return Ok(TaskState::Finished(ending));
        }
        let account = self.account.account.name();
        let lifecycle = Lifecycle::for_task(&self.temporal, account, record.id());
        let latest = lifecycle.describe_latest().await.map_err(lifecycle_error)?;
        if let Some(latest) = latest {
            if latest.execution.is_open() {
                return Ok(TaskState::Running);
            }
            let ended_at = from_unix_seconds(latest.ended_at).unwrap_or(SystemTime::UNIX_EPOCH);
            let ended_at = self.clock.at_second(ended_at);
            if latest.execution.is_finished() && !sweeps::may_restart(ended_at, self.clock.now()) {
                return Ok(TaskState::Finished(Ending::NotArchived));
            }
        }
        self.start(record).await
    }

    /// Returns how a task ended, by its record in the archive.
    async fn ending(&self, record: &Record) -> Result<Option<Ending>, TransferError> {
        let account = &self.account.account;
        let layout = account.layout(&self.archive.root, &record.without_urls());
        let receipt_url = self.archive.url_of(&layout.manifest());
        if let Some(ending) = self.finished_tasks.get(&receipt_url) {
            return Ok(Some(ending));
        }
        let ending = if self.has_receipt(record).await? {
            Ending::Archived
        } else if self.is_settled(record, &layout).await? || self.is_erased(record).await? {
            Ending::NotArchived
        } else {
            return Ok(None);
        };
        self.finished_tasks.insert(receipt_url, ending);
        Ok(Some(ending))
    }

    /// Returns whether the task has a receipt.
    async fn has_receipt(&self, record: &Record) -> Result<bool, TransferError> {
        for (archive, layout) in self.locations(record) {
            if receipt::is_archived(archive, &layout).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Returns whether the task was erased.
    async fn is_erased(&self, record: &Record) -> Result<bool, TransferError> {
        for (archive, layout) in self.locations(record) {
            if receipt::find_tombstone(archive, &layout).await?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Returns where a video may be. The archive of the worker takes a video that its destination cannot take.
    fn locations(&self, record: &Record) -> impl Iterator<Item = (&Archive, Layout)> {
        let own = (!self.destination.is_empty()).then_some(&self.account.archive);
        let task = record.without_urls();
        let archives = [self.archive].into_iter().chain(own);
        archives.map(move |archive| {
            let layout = self.account.account.layout(&archive.root, &task);
            (archive, layout)
        })
    }

    /// Returns whether the `outcome.json` of the task is final, although the service lists the task.
    async fn is_settled(&self, record: &Record, layout: &Layout) -> Result<bool, TransferError> {
        let outcome = receipt::find_outcome(self.archive, layout).await?;
        Ok(outcome.is_some_and(|it| sweeps::is_settled(&it.outcome, &it.reason, record.status())))
    }

    async fn start(&self, record: &Record) -> Result<TaskState, TransferError> {
        self.account.start_limit.wait().await;
        let request = VideoTaskLifecycleRequest {
            task_id: record.id().to_owned(),
            account: self.account.account.name().to_owned(),
            destination: self.destination.to_owned(),
            ..VideoTaskLifecycleRequest::default()
        };
        let started = lifecycles::start_new(&self.temporal, self.task_queue, request).await;
        match started.map_err(lifecycle_error)? {
            true => Ok(TaskState::Started),
            false => Ok(TaskState::Running),
        }
    }
}

fn lifecycle_error(error: LifecycleError) -> TransferError {
    let message = format!("cannot start lifecycle {error}");
    TransferError::retryable(message, failure::UPSTREAM_UNAVAILABLE)
}
