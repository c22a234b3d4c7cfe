//! The activities of the transfers task queue.

// The constants that the macro makes carry no documentation.
#![allow(missing_docs)]

use std::sync::Arc;

use reqwest::Url;
use seedance_archiver_proto::v1::{
    ArchiveVideoRequest, Manifest, OutcomeRecord, RecordOutcomeRequest,
};
use seedance_archiver_workflows::{
    invalid_request::InvalidRequest, reply::Reply, request::Request,
};
use temporalio_macros::activities;
use temporalio_sdk::activities::{ActivityContext, ActivityError};
use tokio::sync::Semaphore;

use super::{fault::Fault, per_account::PerAccount, record_outcome};
use crate::{
    archive::{self, Archive, Buffers, OpenArchiveError, Transfers, fetch::Downloads},
    config::{Account, Accounts, MAX_TRANSFER_SLOTS},
    http,
    seedance::Client,
};

/// Activities of the transfers task queue.
#[derive(Clone)]
pub struct TransferActivities {
    pub(super) seedance: Client,
    /// Turns to transfer, of which a worker may have fewer than slots.
    pub(super) turns: Arc<Semaphore>,
    served: Arc<PerAccount<Served>>,
}

/// An account, and what its transfers need.
pub(super) struct Served {
    pub(super) account: Arc<Account>,
    pub(super) transfers: Transfers,
    archive: Archive,
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
        let encoding = request.encoding();
        let manifest = self.run_archive_video(&ctx, request).await;
        manifest.map(|manifest| Reply::new(manifest, encoding))
    }

    /// Records how a task ended without a video in the archive.
    #[activity(name = "RecordOutcome")]
    pub async fn record_outcome(
        self: Arc<Self>,
        ctx: ActivityContext,
        request: Request<RecordOutcomeRequest>,
    ) -> Result<Reply<OutcomeRecord>, ActivityError> {
        let encoding = request.encoding();
        let outcome = record_outcome::run(&self, &ctx, request).await;
        outcome.map(|outcome| Reply::new(outcome, encoding))
    }
}

impl TransferActivities {
    /// Activities that serve these accounts and archive to `archive_url`.
    pub fn new(
        accounts: Accounts,
        seedance: Client,
        archive_url: &Url,
    ) -> Result<Self, ServeError> {
        let buffers = Buffers::default();
        let serve = |account: &Arc<Account>| {
            Ok(Served {
                account: account.clone(),
                transfers: Transfers {
                    downloads: Downloads::new(account.url_hosts.clone())
                        .map_err(|error| ServeError::Http(http::describe(error)))?,
                    buffers: buffers.clone(),
                },
                archive: Archive::open_with(archive_url, account.archive.objects.clone())?,
            })
        };
        Ok(Self {
            turns: Arc::new(Semaphore::new(MAX_TRANSFER_SLOTS)),
            served: Arc::new(PerAccount::new(accounts, serve)?),
            seedance,
        })
    }

    /// The account that a request means.
    pub(super) fn served(&self, name: &str) -> Result<&Served, ActivityError> {
        self.served.get(name)
    }
}

impl Served {
    /// The archive that a request means. One that cannot be opened now may be mended.
    pub(super) fn archive_at(&self, destination: &str) -> Result<Archive, Fault> {
        archive_at(&self.archive, destination)
    }
}

/// The archive that a request means, of a worker with this one.
pub(super) fn archive_at(own: &Archive, destination: &str) -> Result<Archive, Fault> {
    own.at(destination).map_err(|error| match error {
        OpenArchiveError::Unsupported(_) | OpenArchiveError::Option { .. } => {
            Fault::Invalid(InvalidRequest::new("destination", error.to_string()))
        }
        error => archive::Error::from(error).into(),
    })
}

/// Why accounts cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The archive cannot be opened as an account wants it.
    #[error(transparent)]
    Archive(#[from] OpenArchiveError),
    /// There is no HTTP client.
    #[error("cannot make the HTTP client: {0}")]
    Http(String),
}
