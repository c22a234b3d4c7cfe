//! The accounts that this worker watches now.

use std::collections::BTreeMap;

use tokio::sync::watch;

/// The accounts that this worker watches now, with the number of attempts: an attempt that the server believes dead may
/// still run beside its successor. Clones are the same.
#[derive(Clone, Debug)]
pub(crate) struct WatchedAccounts(watch::Sender<BTreeMap<String, usize>>);

impl Default for WatchedAccounts {
    fn default() -> Self {
        Self(watch::Sender::new(BTreeMap::new()))
    }
}

/// Counts an account as watched until it is dropped.
pub(super) struct WatchedAccount {
    accounts: WatchedAccounts,
    account: String,
}

impl WatchedAccounts {
    pub(super) fn add(&self, account: &str) -> WatchedAccount {
        self.0.send_modify(|accounts| {
            *accounts.entry(account.to_owned()).or_default() += 1;
        });
        WatchedAccount {
            accounts: self.clone(),
            account: account.to_owned(),
        }
    }

    pub(crate) fn includes(&self, account: &str) -> bool {
        self.0.borrow().contains_key(account)
    }

    /// Waits until the worker starts or stops watching an account.
    pub(crate) async fn changed(&self) {
        // Never fails, because `self` owns the sender.
        let _ = self.0.subscribe().changed().await;
    }
}

impl Drop for WatchedAccount {
    fn drop(&mut self) {
        self.accounts.0.send_modify(|accounts| {
            if let Some(attempts) = accounts.get_mut(&self.account) {
                *attempts -= 1;
                if *attempts == 0 {
                    accounts.remove(&self.account);
                }
            }
        });
    }
}
