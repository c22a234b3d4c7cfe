//! Accounts: a named endpoint with its key and its limits.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use reqwest::Url;
use seedance_archiver_proto::names;
use seedance_archiver_workflows::{question::Pace, request::InvalidRequest, windows::Windows};

use super::{ArchiveOptions, Callbacks, CannotReadSecret, Secret, TaskPath, preset, secret};
use crate::{
    download::UrlHosts,
    seedance::{Budget, PAGE_SIZE, Statuses, UrlSeal},
};

/// A named Seedance endpoint. Requests carry the name; the key never leaves the worker.
#[derive(Clone, Debug)]
pub struct Account {
    /// Name, as requests use it.
    pub name: String,
    /// Preset that it was made by.
    pub preset: Option<&'static str>,
    /// Base of the API, e.g. `https://ark.ap-southeast.bytepluses.com/api/v3`.
    pub base_url: Url,
    /// Where under the base the record of a task is.
    pub task_path: TaskPath,
    /// API key.
    pub api_key: Secret,
    /// File with the keys that seal URLs, one a line: the first seals, all open. Without it the API
    /// key does both.
    pub seal_keys_file: Option<PathBuf>,
    /// Hosts that serve the account's videos.
    pub url_hosts: UrlHosts,
    /// How questions are paced.
    pub pace: Pace,
    /// What the service keeps for how long.
    pub windows: Windows,
    /// What the service calls the statuses.
    pub statuses: Statuses,
    /// How often this worker may ask.
    pub budget: Budget,
    /// How often this worker may list.
    pub lists: Budget,
    /// Tasks on a page of a list.
    pub list_page_size: usize,
    /// Whether all its videos are archived, with nobody asking for it.
    pub auto_archive: bool,
    /// Callbacks that are taken. `None`: none are.
    pub callbacks: Option<Callbacks>,
    /// How its videos are archived.
    pub archive: ArchiveOptions,
}

impl Account {
    /// An account with the defaults of the public service. Its videos may also come from the API's
    /// own host.
    pub fn new(name: impl Into<String>, base_url: Url, api_key: Secret) -> Self {
        Self {
            name: name.into(),
            url_hosts: preset::url_hosts().and_of(&base_url),
            preset: None,
            base_url,
            task_path: TaskPath::default(),
            api_key,
            seal_keys_file: None,
            pace: Pace::default(),
            windows: Windows::default(),
            statuses: Statuses::default(),
            budget: Budget::default(),
            lists: Budget::of_lists(),
            list_page_size: PAGE_SIZE,
            auto_archive: false,
            callbacks: None,
            archive: ArchiveOptions::default(),
        }
    }

    /// Where the record of a task is.
    pub fn task_url(&self, task_id: &str) -> Url {
        self.task_path.under(&self.base_url, task_id)
    }

    /// Where its tasks are listed. `None`: that is not known.
    pub fn list_url(&self) -> Option<Url> {
        self.task_path.list_under(&self.base_url)
    }

    /// The seal of this account's URLs, with the keys as they are now. What the API key has sealed
    /// stays readable when seal keys are introduced.
    ///
    /// # Errors
    ///
    /// Where a file of keys cannot be read. An API key that cannot be is missed only where there is no other.
    pub fn seal(&self) -> Result<UrlSeal, CannotReadSecret> {
        let mut keys = match &self.seal_keys_file {
            Some(path) => secret::read_lines(path)?,
            None => Vec::new(),
        };
        match self.api_key.read() {
            Ok(api_key) => keys.push(api_key),
            Err(error) if keys.is_empty() => return Err(error),
            Err(_) => {}
        }
        Ok(UrlSeal::new(&self.name, &keys))
    }
}

/// The accounts of a worker, by name.
#[derive(Clone, Debug, Default)]
pub struct Accounts(BTreeMap<String, Arc<Account>>);

impl Accounts {
    /// The account that a request means: the one of this name, `default` where it is empty.
    ///
    /// # Errors
    ///
    /// Where there is none of this name. The error names those that there are.
    pub fn get(&self, name: &str) -> Result<Arc<Account>, InvalidRequest> {
        let account = self.0.get(names::account_or_default(name));
        account.cloned().ok_or_else(|| self.unknown(name))
    }

    /// A request means an account that there is not.
    pub(crate) fn unknown(&self, name: &str) -> InvalidRequest {
        let name = names::account_or_default(name);
        let known: Vec<_> = self.0.keys().map(|name| format!("`{name}`")).collect();
        let problem = format!(
            "is `{name}`, which this worker does not have: it has {}",
            known.join(", ")
        );
        InvalidRequest::new("account", problem)
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Account>> {
        self.0.values()
    }
}

impl FromIterator<Account> for Accounts {
    fn from_iter<I: IntoIterator<Item = Account>>(accounts: I) -> Self {
        let by_name = |account: Account| (account.name.clone(), Arc::new(account));
        Self(accounts.into_iter().map(by_name).collect())
    }
}

impl<const N: usize> From<[Account; N]> for Accounts {
    fn from(accounts: [Account; N]) -> Self {
        accounts.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use secrecy::SecretString;

    use super::*;

    fn account(name: &str, key: &str) -> Account {
        let base_url = "https://a.example".parse().unwrap();
        Account::new(name, base_url, Secret::from(key.to_owned()))
    }

    #[test]
    fn an_unknown_account_is_told_what_there_is() {
        let accounts = Accounts::from_iter([account("default", "k"), account("eu", "k")]);
        assert_eq!(accounts.get("").unwrap().name, "default");
        assert_eq!(accounts.get("eu").unwrap().name, "eu");
        let error = accounts.get("us").unwrap_err().to_string();
        assert_eq!(
            error,
            "`account` is `us`, which this worker does not have: it has `default`, `eu`"
        );
    }

    #[test]
    fn keys_rotate_without_losing_what_earlier_ones_sealed() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let derived = account("a", "api-key");
        let ring = Account {
            seal_keys_file: Some(file.path().to_owned()),
            ..account("a", "api-key")
        };
        let seal = |account: &Account| account.seal().unwrap().seal("cgt-1", "https://a/v.mp4");
        let opens =
            |account: &Account, sealed: &str| account.seal().unwrap().open("cgt-1", sealed).is_ok();
        let write = |keys: &str| std::fs::write(file.path(), keys).unwrap();

        let by_api_key = seal(&derived);
        write("one\n");
        assert!(opens(&ring, &by_api_key), "the API key is still there");
        let by_one = seal(&ring);
        assert!(!opens(&derived, &by_one));
        write("two\none\n");
        assert!(opens(&ring, &by_one), "an earlier key is listed");
        let by_two = seal(&ring);
        write("two\n");
        assert!(
            opens(&ring, &by_two) && !opens(&ring, &by_one),
            "the key is gone"
        );

        let rotated = Account {
            api_key: Secret::Value(SecretString::from("new-api-key")),
            ..ring
        };
        assert!(!opens(&rotated, &by_api_key));
        write("two\napi-key\n");
        assert!(opens(&rotated, &by_api_key), "an earlier API key is listed");
    }
}
