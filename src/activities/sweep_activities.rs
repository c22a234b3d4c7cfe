//! The activity of sweeps, which runs on the query task queue.

// The macro generates constants without documentation.
#![allow(missing_docs)]

use std::sync::Arc;

use reqwest::Url;
use seedance_archiver_proto::v1::{SweepVideoTaskPageRequest, SweepVideoTaskPageResult};
use seedance_archiver_workflows::{reply::Reply, request::Request};
use temporalio_macros::activities;
use temporalio_sdk::activities::{ActivityContext, ActivityError};

use super::{
    account_map::AccountMap, checked_request::CheckedRequest, finished_tasks::FinishedTasks,
    serve_error::ServeError, sweep_account::SweepAccount, sweep_video_task_page,
};
use crate::{config::Accounts, seedance::Client};

/// Implements the activity of sweeps for the accounts of a worker.
#[derive(Clone)]
pub struct SweepActivities {
    seedance: Client,
    accounts: Arc<AccountMap<SweepAccount>>,
    finished_tasks: FinishedTasks,
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
        let call = CheckedRequest::new(&ctx, self.seedance.clock(), request, |name| {
            self.accounts.get(name)
        })?;
        let encoding = call.encoding;
        let finished_tasks = &self.finished_tasks;
        let result = sweep_video_task_page::run(&ctx, &self.seedance, finished_tasks, call).await?;
        Ok(Reply::new(result, encoding))
    }
}

impl SweepActivities {
    /// Returns the activity for these accounts. Sweeps look for receipts under `archive_url`, unless a
    /// request names another destination.
    ///
    /// # Errors
    ///
    /// Returns an error if the archive cannot be opened with the options of an account.
    pub fn new(
        accounts: Accounts,
        seedance: Client,
        archive_url: &Url,
    ) -> Result<Self, ServeError> {
        let create = |account: &_| SweepAccount::new(account, archive_url);
        Ok(Self {
            seedance,
            accounts: Arc::new(AccountMap::new(accounts, create)?),
            finished_tasks: FinishedTasks::default(),
        })
    }
}
