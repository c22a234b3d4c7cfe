//! The sweep resources of an account.

use std::sync::Arc;

use reqwest::Url;

use super::serve_error::ServeError;
use crate::{archive::Archive, config::Account, seedance::RateLimit};

/// An account with its archive and rate limit for sweeps.
pub(super) struct SweepAccount {
    pub(super) account: Arc<Account>,
    /// The archive of requests that name no destination.
    pub(super) archive: Archive,
    /// Rate limit of lifecycle starts. It equals the query limit, because every new lifecycle queries its task.
    pub(super) start_limit: RateLimit,
}

impl SweepAccount {
    /// Prepares the sweeps of an account.
    pub(super) fn new(account: &Arc<Account>, archive_url: &Url) -> Result<Self, ServeError> {
        Ok(Self {
            account: account.clone(),
            archive: Archive::open_with(archive_url, account.archive.objects.clone())?,
            start_limit: account.endpoint.query_limit.separate(),
        })
    }
}
