//! The transfer resources of an account.

use std::sync::Arc;

use reqwest::Url;
use seedance_archiver_clock::Clock;

use super::serve_error::ServeError;
use crate::{
    archive::{Archive, Buffers, TransferResources, fetch::VideoClient},
    config::Account,
    http,
};

/// An account with its archive and transfer resources.
pub(super) struct TransferAccount {
    pub(super) account: Arc<Account>,
    pub(super) resources: TransferResources,
    /// The archive of requests that name no destination.
    pub(super) archive: Archive,
}

impl TransferAccount {
    /// Prepares the transfers of an account. All accounts share `buffers`.
    pub(super) fn new(
        account: &Arc<Account>,
        archive_url: &Url,
        buffers: &Buffers,
        clock: &Clock,
    ) -> Result<Self, ServeError> {
        let client = VideoClient::new(account.fetch_rules())
            .map_err(|error| ServeError::Http(http::describe(error)))?;
        Ok(Self {
            account: account.clone(),
            resources: TransferResources {
                client,
                buffers: buffers.clone(),
                clock: clock.clone(),
            },
            archive: Archive::open_with(archive_url, account.archive.objects.clone())?,
        })
    }
}
