//! The archives that a worker audits.

use std::sync::Arc;

use object_store::path::Path;
use reqwest::Url;
use seedance_archiver_proto::names::{self, failure::DESTINATION_NOT_ALLOWED};

use super::{destination, serve_error::ServeError, transfer_error::TransferError};
use crate::{
    archive::{Archive, ObjectOptions},
    config::{Account, Accounts},
};

/// The archive of the worker with the options of each account, without the prefixes of the accounts: an audit verifies
/// the videos of all of them. The first is that of the default account, if there is one.
pub(super) struct AuditedArchives(Vec<(Arc<Account>, Archive)>);

impl AuditedArchives {
    pub(super) fn new(accounts: &Accounts, archive_url: &Url) -> Result<Self, ServeError> {
        let open = |account: &Arc<Account>| {
            let options = ObjectOptions {
                prefix: Path::default(),
                ..account.archive.objects.clone()
            };
            Ok((account.clone(), Archive::open_with(archive_url, options)?))
        };
        let mut archives: Vec<_> = accounts
            .iter()
            .map(open)
            .collect::<Result<_, ServeError>>()?;
        archives.sort_by_key(|(account, _)| account.name() != names::DEFAULT_ACCOUNT);
        Ok(Self(archives))
    }

    /// Opens the archive of the worker, or a destination that one of the accounts allows, with the options of that
    /// account.
    ///
    /// # Errors
    ///
    /// [`TransferError::Invalid`] if the destination is not a URL. [`DESTINATION_NOT_ALLOWED`] if no account allows it.
    pub(super) fn open(&self, destination: &str) -> Result<Archive, TransferError> {
        for (account, own) in &self.0 {
            match destination::open(account, own, destination) {
                Err(TransferError::Retryable(error))
                    if error.failure_type == DESTINATION_NOT_ALLOWED => {}
                opened => return opened,
            }
        }
        let problem = format!(
            "no account of this worker allows the destination `{destination}`; add it to the `archive.destinations` of one"
        );
        Err(TransferError::retryable(problem, DESTINATION_NOT_ALLOWED))
    }
}
