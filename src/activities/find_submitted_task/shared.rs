//! What the searches of this worker share, so that many lost answers at once do not cost many times as many calls.
//!
//! Nothing that is shared lets a submission adopt a task: the owner of the only candidate is looked up again, and the
//! submission then takes the task by a workflow id that only one can have.

use std::{collections::BTreeMap, sync::Arc};

use parking_lot::Mutex;
use seedance_archiver_proto::v1::SweepPage;

use super::{known_owners::KnownOwners, listed::Listed, recent::Recent};
use crate::temporal::submissions::rivals::OpenSubmissions;

/// What the searches of this worker share. Clones are the same.
#[derive(Clone, Debug, Default)]
pub(crate) struct SharedSearches(Arc<Mutex<BTreeMap<String, Arc<OfAccount>>>>);

/// What the searches of an account share.
#[derive(Debug, Default)]
pub(super) struct OfAccount {
    lists: Mutex<BTreeMap<[String; 2], Arc<Recent<Listed>>>>,
    pub(super) owners: KnownOwners,
    pub(super) open: Recent<Result<OpenSubmissions, String>>,
}

impl SharedSearches {
    pub(super) fn of_account(&self, account: &str) -> Arc<OfAccount> {
        let mut accounts = self.0.lock();
        accounts.entry(account.to_owned()).or_default().clone()
    }
}

impl OfAccount {
    /// Returns the list that begins with a page.
    pub(super) fn list(&self, first: &SweepPage) -> Arc<Recent<Listed>> {
        let key = [first.service_tier.clone(), first.model.clone()];
        self.lists.lock().entry(key).or_default().clone()
    }
}
