//! Expectations that were computed before, until enough has been observed since.

use std::collections::BTreeMap;

use super::{Expectation, TaskKind};

/// Maximum number of expectations.
const MAX_ENTRIES: usize = 128;
/// An expectation is computed anew when this fraction of its observations was made since.
const NEW: usize = 8;
/// An expectation is computed anew after this many observations of the account.
const MAX_NEW_IN_ACCOUNT: usize = 48;

#[derive(Clone, Debug, Default)]
pub(super) struct Cache {
    /// `None`: the expectation without a kind.
    entries: BTreeMap<Option<TaskKind>, Entry>,
}

#[derive(Clone, Debug)]
struct Entry {
    expectation: Expectation,
    /// How many tasks of the kind ended since.
    new: usize,
    new_in_account: usize,
}

impl Cache {
    /// Returns the expectation unless it is stale. `observed` is the number of observations of the kind.
    pub(super) fn get(&self, kind: &Option<TaskKind>, observed: usize) -> Option<Expectation> {
        let entry = self.entries.get(kind)?;
        let max_new = observed / NEW;
        let max_new_in_account = MAX_NEW_IN_ACCOUNT.min(max_new * NEW);
        let is_fresh = entry.new <= max_new && entry.new_in_account <= max_new_in_account;
        is_fresh.then(|| entry.expectation.clone())
    }

    pub(super) fn insert(&mut self, kind: Option<TaskKind>, expectation: Expectation) {
        if self.entries.len() == MAX_ENTRIES {
            self.entries.clear();
        }
        let entry = Entry {
            expectation,
            new: 0,
            new_in_account: 0,
        };
        self.entries.insert(kind, entry);
    }

    /// Counts an observation of a kind.
    pub(super) fn observed(&mut self, kind: &TaskKind) {
        for (of, entry) in &mut self.entries {
            entry.new_in_account += 1;
            if of.as_ref().is_none_or(|of| of == kind) {
                entry.new += 1;
            }
        }
    }
}
