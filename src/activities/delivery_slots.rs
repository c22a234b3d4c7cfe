//! How many events a worker posts at once. Deliveries share the activity slots with polls, which a slow receiver must not hold
//! up; nor must the receiver of one account hold up the events of another.

use std::{collections::BTreeMap, sync::Arc};

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::config::Accounts;

/// Maximum number of concurrent requests of a worker.
const MAX_DELIVERIES: usize = 4;
/// Maximum number of concurrent requests for one account.
const MAX_DELIVERIES_OF_ACCOUNT: usize = 2;

/// The slots of a worker. Clones share them.
#[derive(Clone)]
pub(super) struct DeliverySlots {
    all: Arc<Semaphore>,
    of_account: Arc<BTreeMap<String, Semaphore>>,
}

/// A slot, which is free again when this value is dropped.
pub(super) struct DeliverySlot<'a> {
    _all: SemaphorePermit<'a>,
    _of_account: SemaphorePermit<'a>,
}

impl DeliverySlots {
    /// Returns free slots for these accounts.
    pub(super) fn new(accounts: &Accounts) -> Self {
        let slots = || Semaphore::new(MAX_DELIVERIES_OF_ACCOUNT);
        let of_account = accounts.iter().map(|it| (it.name().to_owned(), slots()));
        Self {
            all: Arc::new(Semaphore::new(MAX_DELIVERIES)),
            of_account: Arc::new(of_account.collect()),
        }
    }

    /// Takes a slot for an account, or returns `None` if none is free.
    pub(super) fn take(&self, account: &str) -> Option<DeliverySlot<'_>> {
        Some(DeliverySlot {
            _of_account: self.of_account.get(account)?.try_acquire().ok()?,
            _all: self.all.try_acquire().ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Account;

    #[test]
    fn one_account_does_not_use_up_the_slots() {
        let account = |name: &str| {
            let base_url = "https://a.example".parse().unwrap();
            Account::new(name, base_url, "key".to_owned().into())
        };
        let slots = DeliverySlots::new(&["eu", "us", "cn"].map(account).into());
        let first = slots.take("eu");
        let _second = slots.take("eu").unwrap();
        assert!(slots.take("eu").is_none());
        let _others = [slots.take("us").unwrap(), slots.take("us").unwrap()];
        assert!(slots.take("cn").is_none(), "more than the worker may post");
        drop(first);
        assert!(slots.take("cn").is_some());
    }
}
