//! What transfers need of an account.

use std::sync::Arc;

use reqwest::Url;

use super::serve_error::ServeError;
use crate::{
    archive::{Archive, Buffers, Transfers, fetch::Downloads},
    config::Account,
    http,
};

/// An account as transfers use it.
pub(super) struct TransferAccount {
    pub(super) account: Arc<Account>,
    pub(super) transfers: Transfers,
    /// The archive of requests that name no destination.
    pub(super) archive: Archive,
}

impl TransferAccount {
    /// Prepares the transfers of an account. All accounts share `buffers`.
    pub(super) fn new(
        account: &Arc<Account>,
        archive_url: &Url,
        buffers: &Buffers,
    ) -> Result<Self, ServeError> {
        let downloads = Downloads::new(account.url_hosts.clone())
            .map_err(|error| ServeError::Http(http::describe(error)))?;
        Ok(Self {
            account: account.clone(),
            transfers: Transfers {
                downloads,
                buffers: buffers.clone(),
            },
            archive: Archive::open_with(archive_url, account.archive.objects.clone())?,
        })
    }
}
