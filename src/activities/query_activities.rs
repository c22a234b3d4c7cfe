//! Registers the activities of the query task queue.

// The macro generates constants without documentation.
#![allow(missing_docs)]

use std::sync::Arc;

use reqwest::Url;
use seedance_archiver_proto::v1::{
    AwaitVideoTaskRequest, CancelVideoTaskRequest, CancelVideoTaskResult, CreateVideoTaskRequest,
    CreateVideoTaskResult, FindSubmittedTaskRequest, FindSubmittedTaskResult,
    QueryVideoTaskRequest, QueryVideoTaskResult, VideoTaskLifecycleResult,
};
use seedance_archiver_workflows::{
    reply::Reply,
    request::{Check, Request},
};
use temporalio_macros::activities;
use temporalio_sdk::activities::{ActivityContext, ActivityError};

use super::{
    await_video_task::{self, WaitSlots},
    cancel_video_task,
    checked_request::CheckedRequest,
    create_video_task,
    find_submitted_task::{self, SharedSearches},
    heartbeat, query_video_task,
    task_queries::TaskQueries,
    unknown_account::AwaitsAccount,
};
use crate::{
    config::{Account, Accounts},
    temporal::watchers::Watchers,
};

/// Activities of the query task queue.
#[derive(Clone)]
pub struct QueryActivities {
    accounts: Accounts,
    queries: TaskQueries,
    wait_slots: WaitSlots,
    watchers: Watchers,
    searches: SharedSearches,
    /// Archive of the worker. `None` if destinations are not checked.
    archive_url: Option<Url>,
}

#[activities]
impl QueryActivities {
    /// Returns the record once its status differs from `known_status`.
    #[activity(name = "QueryVideoTask")]
    pub async fn query_video_task(
        self: Arc<Self>,
        ctx: ActivityContext,
        request: Request<QueryVideoTaskRequest>,
    ) -> Result<Reply<QueryVideoTaskResult>, ActivityError> {
        let call = self.checked(&ctx, request)?;
        let encoding = call.encoding;
        let archive_url = self.archive_url.as_ref();
        let watchers = &self.watchers;
        let result =
            query_video_task::run(&ctx, &self.queries, watchers, archive_url, call).await?;
        Ok(Reply::new(result, encoding))
    }

    /// Starts the lifecycle of a task or joins the running one, and returns its result.
    #[activity(name = "AwaitVideoTask")]
    pub async fn await_video_task(
        self: Arc<Self>,
        ctx: ActivityContext,
        request: Request<AwaitVideoTaskRequest>,
    ) -> Result<Reply<VideoTaskLifecycleResult>, ActivityError> {
        let call = self.checked(&ctx, request)?;
        let encoding = call.encoding;
        let clock = self.queries.seedance().clock();
        let result = await_video_task::run(&ctx, &self.wait_slots, clock, call).await?;
        Ok(Reply::new(result, encoding))
    }

    /// Cancels a task if it is queued, and returns its record.
    #[activity(name = "CancelVideoTask")]
    pub async fn cancel_video_task(
        self: Arc<Self>,
        ctx: ActivityContext,
        request: Request<CancelVideoTaskRequest>,
    ) -> Result<Reply<CancelVideoTaskResult>, ActivityError> {
        let call = self.checked(&ctx, request)?;
        let encoding = call.encoding;
        let cancel = cancel_video_task::run(&self.queries, call);
        let result = heartbeat::until_shutdown(&ctx, || (), cancel).await??;
        Ok(Reply::new(result, encoding))
    }

    /// Creates a task, with at most one request for each submission.
    #[activity(name = "CreateVideoTask")]
    pub async fn create_video_task(
        self: Arc<Self>,
        ctx: ActivityContext,
        request: Request<CreateVideoTaskRequest>,
    ) -> Result<Reply<CreateVideoTaskResult>, ActivityError> {
        let call = self.checked(&ctx, request)?;
        let encoding = call.encoding;
        let result = create_video_task::run(&ctx, self.queries.seedance(), call).await?;
        Ok(Reply::new(result, encoding))
    }

    /// Looks for the task of a submission in the list.
    #[activity(name = "FindSubmittedTask")]
    pub async fn find_submitted_task(
        self: Arc<Self>,
        ctx: ActivityContext,
        request: Request<FindSubmittedTaskRequest>,
    ) -> Result<Reply<FindSubmittedTaskResult>, ActivityError> {
        let call = self.checked(&ctx, request)?;
        let encoding = call.encoding;
        let seedance = self.queries.seedance();
        let result = find_submitted_task::run(&ctx, seedance, &self.searches, call).await?;
        Ok(Reply::new(result, encoding))
    }
}

impl QueryActivities {
    fn checked<R: Check + AwaitsAccount>(
        &self,
        ctx: &ActivityContext,
        request: Request<R>,
    ) -> Result<CheckedRequest<R, Arc<Account>>, ActivityError> {
        let clock = self.queries.seedance().clock();
        CheckedRequest::new(ctx, clock, request, |name| self.accounts.get(name))
    }

    /// Returns activities that serve these accounts.
    pub fn new(accounts: Accounts, queries: TaskQueries) -> Self {
        Self {
            watchers: Watchers::new(&accounts),
            accounts,
            queries,
            wait_slots: WaitSlots::default(),
            searches: SharedSearches::default(),
            archive_url: None,
        }
    }

    /// Sets the archive of the worker. A poll then says if the account does not allow the destination of the video.
    pub fn with_archive(self, archive_url: &Url) -> Self {
        Self {
            archive_url: Some(archive_url.clone()),
            ..self
        }
    }

    /// Sets the task queue on which this worker serves transfers.
    pub(crate) fn with_transfers_on(self, task_queue: &str) -> Self {
        Self {
            queries: self.queries.with_transfers_on(task_queue),
            ..self
        }
    }
}
