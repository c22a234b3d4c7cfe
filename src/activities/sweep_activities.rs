//! The activities that list the tasks of an account, on the query task queue.

// The macro generates constants without documentation.
#![allow(missing_docs)]

use std::sync::Arc;

use reqwest::Url;
use seedance_archiver_proto::v1::{
    SweepVideoTaskPageRequest, SweepVideoTaskPageResult, WatchAccountRequest, WatchAccountResult,
};
use seedance_archiver_workflows::{reply::Reply, request::Request};
use temporalio_macros::activities;
use temporalio_sdk::activities::{ActivityContext, ActivityError};
use tokio::sync::Semaphore;

use super::{
    account_map::AccountMap, checked_request::CheckedRequest, finished_tasks::FinishedTasks,
    serve_error::ServeError, sweep_account::SweepAccount, sweep_video_task_page,
    task_queries::TaskQueries, watch_account,
};
use crate::config::Accounts;

/// Implements the activities that list tasks, for the accounts of a worker.
#[derive(Clone)]
pub struct SweepActivities {
    queries: TaskQueries,
    accounts: Arc<AccountMap<SweepAccount>>,
    finished_tasks: FinishedTasks,
    watch_slots: Arc<Semaphore>,
}

#[activities]
impl SweepActivities {
    /// Starts the missing lifecycles of one page of tasks, and returns the counts and the next page.
    #[activity(name = "SweepVideoTaskPage")]
    pub async fn sweep_video_task_page(
        self: Arc<Self>,
        ctx: ActivityContext,
        request: Request<SweepVideoTaskPageRequest>,
    ) -> Result<Reply<SweepVideoTaskPageResult>, ActivityError> {
        let seedance = self.queries.seedance();
        let call = CheckedRequest::new(&ctx, seedance.clock(), request, |name| {
            self.accounts.get(name)
        })?;
        let encoding = call.encoding;
        let finished_tasks = &self.finished_tasks;
        let result = sweep_video_task_page::run(&ctx, seedance, finished_tasks, call).await?;
        Ok(Reply::new(result, encoding))
    }

    /// Polls the tasks of an account for all lifecycles that wait.
    #[activity(name = "WatchAccount")]
    pub async fn watch_account(
        self: Arc<Self>,
        ctx: ActivityContext,
        request: Request<WatchAccountRequest>,
    ) -> Result<Reply<WatchAccountResult>, ActivityError> {
        let clock = self.queries.seedance().clock();
        let call = CheckedRequest::new(&ctx, clock, request, |name| self.accounts.get(name))?;
        let encoding = call.encoding;
        let (finished_tasks, slots) = (&self.finished_tasks, &self.watch_slots);
        let result = watch_account::run(&ctx, &self.queries, finished_tasks, slots, call).await?;
        Ok(Reply::new(result, encoding))
    }
}

impl SweepActivities {
    /// Returns the activities for these accounts. Sweeps look for receipts under `archive_url`, unless a
    /// request names another destination.
    ///
    /// # Errors
    ///
    /// Returns an error if the archive cannot be opened with the options of an account.
    pub fn new(
        accounts: Accounts,
        queries: TaskQueries,
        archive_url: &Url,
    ) -> Result<Self, ServeError> {
        let create = |account: &_| SweepAccount::new(account, archive_url);
        Ok(Self {
            queries,
            accounts: Arc::new(AccountMap::new(accounts, create)?),
            finished_tasks: FinishedTasks::default(),
            watch_slots: Arc::new(Semaphore::new(watch_account::MAX_WATCHED_ACCOUNTS)),
        })
    }

    /// Sets the task queue on which this worker serves transfers.
    pub(crate) fn with_transfers_on(self, task_queue: &str) -> Self {
        Self {
            queries: self.queries.with_transfers_on(task_queue),
            ..self
        }
    }
}
