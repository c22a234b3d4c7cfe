//! Accounts: a named endpoint with its key and its limits.

use std::{collections::BTreeMap, sync::Arc};

use reqwest::Url;
use seedance_archiver_proto::names;
use seedance_archiver_workflows::{question::Pace, windows::Windows};

use super::{ApiKey, CannotReadKey};
use crate::seedance::{Statuses, UrlSeal};

/// A named Seedance endpoint. Requests carry the name; the key never leaves the worker.
#[derive(Clone, Debug)]
pub struct Account {
    /// Name, as requests use it.
    pub name: String,
    /// Base of the API, e.g. `https://ark.ap-southeast.bytepluses.com/api/v3`.
    pub base_url: Url,
    /// API key.
    pub api_key: ApiKey,
    /// How questions are paced.
    pub pace: Pace,
    /// What the service keeps for how long.
    pub windows: Windows,
    /// What the service calls the statuses.
    pub statuses: Statuses,
}

impl Account {
    /// An account with the defaults of the public service.
    pub fn new(name: impl Into<String>, base_url: Url, api_key: ApiKey) -> Self {
        Self {
            name: name.into(),
            base_url,
            api_key,
            pace: Pace::default(),
            windows: Windows::default(),
            statuses: Statuses::default(),
        }
    }

    /// Where the record of a task is.
    pub fn task_url(&self, task_id: &str) -> Url {
        let mut url = self.base_url.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty()
                .extend(["contents", "generations", "tasks", task_id]);
        }
        url
    }

    /// The seal of this account's URLs.
    pub fn seal(&self) -> Result<UrlSeal, CannotReadKey> {
        Ok(UrlSeal::derived(&self.name, &self.api_key.read()?))
    }
}

/// The accounts of a worker, by name.
#[derive(Clone, Debug, Default)]
pub struct Accounts(BTreeMap<String, Arc<Account>>);

/// A request names an account that this worker does not have.
#[derive(Clone, Debug, thiserror::Error)]
#[error("is `{name}`, which this worker does not have: it has {known}")]
pub struct UnknownAccount {
    name: String,
    known: String,
}

impl Accounts {
    /// The account that a request means.
    pub fn get(&self, name: &str) -> Result<Arc<Account>, UnknownAccount> {
        let name = names::account_or_default(name);
        self.0.get(name).cloned().ok_or_else(|| UnknownAccount {
            name: name.to_owned(),
            known: self
                .0
                .keys()
                .map(|name| format!("`{name}`"))
                .collect::<Vec<_>>()
                .join(", "),
        })
    }
}

impl FromIterator<Account> for Accounts {
    fn from_iter<I: IntoIterator<Item = Account>>(accounts: I) -> Self {
        let by_name = |account: Account| (account.name.clone(), Arc::new(account));
        Self(accounts.into_iter().map(by_name).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> ApiKey {
        "key".to_owned().into()
    }

    #[test]
    fn a_task_id_stays_one_segment_of_the_path() {
        for base in [
            "https://host.example/api/v3",
            "https://host.example/api/v3/",
        ] {
            let account = Account::new("a", base.parse().unwrap(), key());
            let url = |id| account.task_url(id).to_string();
            let tasks = "https://host.example/api/v3/contents/generations/tasks";
            assert_eq!(url("cgt-1"), format!("{tasks}/cgt-1"));
            assert_eq!(url("a?b#c%d"), format!("{tasks}/a%3Fb%23c%25d"));
        }
    }

    #[test]
    fn an_unknown_account_is_told_what_there_is() {
        let account = |name| Account::new(name, "https://a.example".parse().unwrap(), key());
        let accounts = Accounts::from_iter([account("default"), account("eu")]);
        assert_eq!(accounts.get("").unwrap().name, "default");
        assert_eq!(accounts.get("eu").unwrap().name, "eu");
        let error = accounts.get("us").unwrap_err().to_string();
        assert_eq!(
            error,
            "is `us`, which this worker does not have: it has `default`, `eu`"
        );
    }
}
