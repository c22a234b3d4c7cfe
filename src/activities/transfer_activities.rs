//! Registers the activities of the transfers task queue.

// The macro generates constants without documentation.
#![allow(missing_docs)]

use std::sync::Arc;

use reqwest::Url;
use seedance_archiver_proto::{
    names,
    v1::{
        ArchiveVideoRequest, AuditShareRequest, AuditShareResult, Manifest, OutcomeRecord,
        RecordOutcomeRequest,
    },
};
use seedance_archiver_workflows::{reply::Reply, request::Request};
use temporalio_macros::activities;
use temporalio_sdk::activities::{ActivityContext, ActivityError};
use tokio::sync::Semaphore;

use super::{
    account_map::AccountMap, archive_video, audit_share, audited_archives::AuditedArchives,
    checked_request::CheckedRequest, record_outcome, serve_error::ServeError,
    transfer_account::TransferAccount,
};
use crate::{
    archive::Buffers,
    config::{Accounts, MAX_TRANSFER_SLOTS},
    seedance::Client,
};

/// Activities of the transfers task queue.
#[derive(Clone)]
pub struct TransferActivities {
    seedance: Client,
    /// Limits concurrent transfers, because a worker may have more activity slots than buffer memory.
    permits: Arc<Semaphore>,
    accounts: Arc<AccountMap<TransferAccount>>,
    audited: Arc<AuditedArchives>,
    /// Task queue on which the deliveries of events are started.
    workflow_queue: String,
}

#[activities]
impl TransferActivities {
    /// Archives the video of a succeeded task and returns the receipt.
    #[activity(name = "ArchiveVideo")]
    pub async fn archive_video(
        self: Arc<Self>,
        ctx: ActivityContext,
        request: Request<ArchiveVideoRequest>,
    ) -> Result<Reply<Manifest>, ActivityError> {
        let call = CheckedRequest::new(&ctx, self.seedance.clock(), request, |name| {
            self.accounts.get(name)
        })?;
        let encoding = call.encoding;
        let (seedance, permits, queue) = (&self.seedance, &self.permits, &self.workflow_queue);
        let manifest = archive_video::run(&ctx, seedance, permits, queue, call).await?;
        Ok(Reply::new(manifest, encoding))
    }

    /// Writes the record of a lifecycle that ended without a video in the archive, and returns it.
    #[activity(name = "RecordOutcome")]
    pub async fn record_outcome(
        self: Arc<Self>,
        ctx: ActivityContext,
        request: Request<RecordOutcomeRequest>,
    ) -> Result<Reply<OutcomeRecord>, ActivityError> {
        let encoding = request.encoding();
        let (accounts, queue) = (&self.accounts, &self.workflow_queue);
        let outcome = record_outcome::run(&ctx, &self.seedance, accounts, queue, request).await?;
        Ok(Reply::new(outcome, encoding))
    }

    /// Verifies receipts of an audit's share, and returns the report once all are verified.
    #[activity(name = "AuditShare")]
    pub async fn audit_share(
        self: Arc<Self>,
        ctx: ActivityContext,
        request: Request<AuditShareRequest>,
    ) -> Result<Reply<AuditShareResult>, ActivityError> {
        let encoding = request.encoding();
        let clock = self.seedance.clock();
        let audited = audit_share::run(&ctx, &self.audited, clock, request).await?;
        Ok(Reply::new(audited, encoding))
    }
}

impl TransferActivities {
    /// Returns activities that serve these accounts and archive to `archive_url`, unless a request names
    /// another destination.
    ///
    /// # Errors
    ///
    /// See [`ServeError`].
    pub fn new(
        accounts: Accounts,
        seedance: Client,
        archive_url: &Url,
    ) -> Result<Self, ServeError> {
        let buffers = Buffers::default();
        let create =
            |account: &_| TransferAccount::new(account, archive_url, &buffers, seedance.clock());
        let audited = AuditedArchives::new(&accounts, archive_url)?;
        let accounts = AccountMap::new(accounts, create)?;
        Ok(Self {
            seedance,
            permits: Arc::new(Semaphore::new(MAX_TRANSFER_SLOTS)),
            accounts: Arc::new(accounts),
            audited: Arc::new(audited),
            workflow_queue: names::TASK_QUEUE.to_owned(),
        })
    }

    /// Sets the task queue on which workers serve the workflows.
    pub(crate) fn with_workflows_on(self, task_queue: &str) -> Self {
        Self {
            workflow_queue: task_queue.to_owned(),
            ..self
        }
    }
}
