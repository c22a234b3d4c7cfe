//! What activities keep for each account.

use std::{collections::BTreeMap, sync::Arc};

use seedance_archiver_proto::names;
use temporalio_sdk::activities::ActivityError;

use super::{ServeError, failure};
use crate::config::{Account, Accounts};

/// Something for each account, by its name.
pub(super) struct PerAccount<T> {
    accounts: Accounts,
    served: BTreeMap<String, T>,
}

impl<T> PerAccount<T> {
    /// What `serve` makes of each.
    pub(super) fn new(
        accounts: Accounts,
        serve: impl Fn(&Arc<Account>) -> Result<T, ServeError>,
    ) -> Result<Self, ServeError> {
        let named = |account| serve(account).map(|served| (account.name().to_owned(), served));
        let served = accounts.iter().map(named).collect::<Result<_, _>>()?;
        Ok(Self { accounts, served })
    }

    /// That of the account that a request means.
    pub(super) fn get(&self, name: &str) -> Result<&T, ActivityError> {
        let served = self.served.get(names::account_or_default(name));
        served.ok_or_else(|| failure::invalid_request(self.accounts.unknown(name)))
    }
}
