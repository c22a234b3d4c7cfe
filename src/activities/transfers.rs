//! The activities of the transfers task queue.

// The constants that the macro makes carry no documentation.
#![allow(missing_docs)]

use std::{collections::BTreeMap, sync::Arc};

use seedance_archiver_proto::v1::{
    ArchiveVideoRequest, Manifest, OutcomeRecord, RecordOutcomeRequest,
};
use seedance_archiver_workflows::request::{InvalidRequest, Request};
use temporalio_macros::activities;
use temporalio_sdk::activities::{ActivityContext, ActivityError};

use super::{failure, fault::Fault, record_outcome};
use crate::{
    archive::{self, Archive, CannotOpenArchive},
    config::{Account, Accounts},
    download::Downloads,
    seedance::Client,
};

/// Activities of the transfers task queue.
pub struct TransferActivities {
    pub(super) accounts: Accounts,
    pub(super) seedance: Client,
    downloads: BTreeMap<String, Downloads>,
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
    ) -> Result<Manifest, ActivityError> {
        self.run_archive_video(&ctx, request).await
    }

    /// Records how a task ended without a video in the archive.
    #[activity(name = "RecordOutcome")]
    pub async fn record_outcome(
        self: Arc<Self>,
        ctx: ActivityContext,
        request: Request<RecordOutcomeRequest>,
    ) -> Result<OutcomeRecord, ActivityError> {
        record_outcome::run(&self, &ctx, request).await
    }
}

impl TransferActivities {
    /// Activities that serve these accounts and archive into `archive`.
    pub fn new(
        accounts: Accounts,
        seedance: Client,
        archive: Archive,
    ) -> Result<Self, reqwest::Error> {
        let downloads = accounts.iter().map(|account| {
            let downloads = Downloads::new(account.url_hosts.clone())?;
            Ok((account.name.clone(), downloads))
        });
        Ok(Self {
            downloads: downloads.collect::<Result<_, _>>()?,
            accounts,
            seedance,
            archive,
        })
    }

    /// The client that fetches an account's videos.
    pub(super) fn downloads(&self, account: &Account) -> Result<&Downloads, Fault> {
        self.downloads.get(&account.name).ok_or_else(|| {
            let problem = format!("is `{}`, which cannot fetch anything", account.name);
            Fault::Invalid(InvalidRequest::new("account", problem))
        })
    }

    pub(super) fn account(&self, name: &str) -> Result<Arc<Account>, ActivityError> {
        self.accounts.get(name).map_err(failure::invalid_request)
    }

    /// The archive that a request means. One that cannot be opened now may be mended.
    pub(super) fn archive_at(&self, destination: &str) -> Result<Archive, Fault> {
        self.archive.at(destination).map_err(|error| match error {
            CannotOpenArchive::Unsupported(_) => {
                Fault::Invalid(InvalidRequest::new("destination", error.to_string()))
            }
            error => archive::Error::from(error).into(),
        })
    }
}
