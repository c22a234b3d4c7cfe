//! Tasks about which nothing is left to do, as far as this process has seen: it spares the next sweep
//! a look into the archive for each.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Most that are remembered. Then it begins anew, which costs looks and nothing else.
const MOST: usize = 100_000;

/// How a task was settled.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum How {
    /// It has a receipt.
    Archived,
    /// It has the record of another ending.
    Ended,
}

/// The tasks, each by the URL of its receipt.
#[derive(Default)]
pub(super) struct Settled(Mutex<HashMap<String, How>>);

impl Settled {
    pub(super) fn get(&self, receipt_url: &str) -> Option<How> {
        self.tasks().get(receipt_url).copied()
    }

    pub(super) fn remember(&self, receipt_url: String, how: How) {
        let mut tasks = self.tasks();
        if tasks.len() >= MOST {
            tasks.clear();
        }
        tasks.insert(receipt_url, how);
    }

    /// What is behind the lock stays whole whoever panics.
    fn tasks(&self) -> MutexGuard<'_, HashMap<String, How>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_remembered_has_a_bound() {
        let settled = Settled::default();
        for number in 0..=MOST {
            settled.remember(number.to_string(), How::Archived);
        }
        assert_eq!(settled.get("0"), None);
        assert_eq!(settled.get(&MOST.to_string()), Some(How::Archived));
        assert_eq!(settled.tasks().len(), 1);
    }
}
