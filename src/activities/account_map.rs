//! Values that activities keep for each account.

use std::{collections::BTreeMap, sync::Arc};

use seedance_archiver_proto::names;
use seedance_archiver_workflows::invalid_request::InvalidRequest;

use super::serve_error::ServeError;
use crate::config::{Account, Accounts};

/// A value for each account, by account name.
pub(super) struct AccountMap<T> {
    accounts: Accounts,
    values: BTreeMap<String, T>,
}

impl<T> AccountMap<T> {
    /// Creates the value of each account.
    pub(super) fn new(
        accounts: Accounts,
        create: impl Fn(&Arc<Account>) -> Result<T, ServeError>,
    ) -> Result<Self, ServeError> {
        let values = accounts
            .iter()
            .map(|account| Ok((account.name().to_owned(), create(account)?)))
            .collect::<Result<_, ServeError>>()?;
        Ok(Self { accounts, values })
    }

    /// Returns the value of the account with this name, or of the default account if the name is empty.
    pub(super) fn get(&self, name: &str) -> Result<&T, InvalidRequest> {
        self.values
            .get(names::account_or_default(name))
            .ok_or_else(|| self.accounts.unknown(name))
    }
}
