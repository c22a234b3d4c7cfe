//! Accounts: named endpoints, each with its key and limits.

use std::{collections::BTreeMap, sync::Arc, time::SystemTime};

use object_store::path::Path;
use reqwest::Url;
use seedance_archiver_archive::{
    Layout,
    fetch::{FetchRules, Networks, UrlHosts},
};
use seedance_archiver_http::{self as http, Proxy};
use seedance_archiver_policy::{
    deadlines::{Deadlines, TaskTimes},
    pages::Lists,
    poll::PollSchedule,
    windows::Windows,
};
use seedance_archiver_proto::{names, time::from_unix_seconds, v1::VideoTask};
use seedance_archiver_seedance::{Endpoint, ReadSecretError, Record, Secret, UrlSeal, read_lines};
use seedance_archiver_workflows::invalid_request::InvalidRequest;

use super::{ArchiveOptions, Callbacks, Webhook, preset};

/// A named Seedance endpoint, and how its videos are archived. Requests carry the name; the key never leaves
/// the worker.
#[derive(Clone, Debug)]
pub struct Account {
    /// The task API as this account uses it.
    pub endpoint: Endpoint,
    /// Preset that the account is based on.
    pub preset: Option<&'static str>,
    /// Hosts from which the account's videos may be downloaded.
    pub url_hosts: UrlHosts,
    /// Networks whose addresses count as public for these hosts.
    pub allowed_networks: Networks,
    /// The proxy of the API and of downloads. Set by [`set_proxy`](Self::set_proxy).
    pub proxy: Option<Proxy>,
    /// How often tasks are polled.
    pub schedule: PollSchedule,
    /// How long tasks can be queried, and how long their URLs work.
    pub windows: Windows,
    /// Lists of the account's tasks.
    pub lists: Lists,
    /// Whether `QueryVideoTask` may return plain URLs.
    pub allow_reveal: bool,
    /// Whether every video of the account is archived without a request.
    pub auto_archive: bool,
    /// How callbacks are handled. `None` if callbacks are not accepted.
    pub callbacks: Option<Callbacks>,
    /// Who receives an event when a task reaches an outcome. `None` if nobody does.
    pub webhook: Option<Webhook>,
    /// How videos are archived.
    pub archive: ArchiveOptions,
}

impl Account {
    /// Returns an account with the defaults of the public service. Its videos may also come from the host of
    /// the API.
    pub fn new(name: impl Into<String>, base_url: Url, api_key: Secret) -> Self {
        Self {
            url_hosts: preset::url_hosts().with_host_of(&base_url),
            endpoint: Endpoint::new(name, base_url, api_key),
            preset: None,
            allowed_networks: Networks::default(),
            proxy: None,
            schedule: PollSchedule::default(),
            windows: Windows::default(),
            lists: Lists::default(),
            allow_reveal: false,
            auto_archive: false,
            callbacks: None,
            webhook: None,
            archive: ArchiveOptions::default(),
        }
    }

    /// Sends the requests of the account to the API, and its downloads, through a proxy.
    ///
    /// # Errors
    ///
    /// Returns the error of an HTTP client that cannot use the proxy. It contains no password.
    pub fn set_proxy(&mut self, proxy: Proxy) -> Result<(), String> {
        let http = http::client_through(&proxy).map_err(http::describe)?;
        self.endpoint.http = Some(http);
        self.proxy = Some(proxy);
        Ok(())
    }

    /// Returns from where the videos of the account are downloaded, and how.
    pub(crate) fn fetch_rules(&self) -> FetchRules {
        FetchRules {
            hosts: self.url_hosts.clone(),
            allowed_networks: self.allowed_networks.clone(),
            proxy: self.proxy.clone(),
        }
    }

    /// Returns the name of the account.
    pub fn name(&self) -> &str {
        &self.endpoint.account
    }

    /// Returns the deadlines of a task.
    pub fn deadlines(&self, record: &Record) -> Deadlines {
        let url = record.main_url();
        let times = TaskTimes {
            created_at: from_unix_seconds(record.created_at()),
            updated_at: from_unix_seconds(record.updated_at()),
            has_url: url.is_some(),
            url_expires_at: url.and_then(|url| url.expires_at()),
        };
        Deadlines::new(&self.windows, times)
    }

    /// Returns whether a task is inside its query window. A record without a creation time counts as inside.
    pub fn is_in_query_window(&self, record: &Record, now: SystemTime) -> bool {
        let created_at = from_unix_seconds(record.created_at());
        created_at.is_none_or(|created_at| !self.windows.is_closed(created_at, now))
    }

    /// Returns the keys of a task's objects under `root`.
    pub fn layout(&self, root: &Path, task: &VideoTask) -> Layout {
        Layout::new(root, &self.archive.keys, self.name(), task)
    }

    /// Returns the seal of this account's URLs, with the current keys. The API key always unseals, so URLs that
    /// it sealed stay readable after seal keys are introduced.
    ///
    /// # Errors
    ///
    /// Returns an error if the file of seal keys cannot be read, or there is none and the API key cannot be
    /// read.
    pub fn seal(&self) -> Result<UrlSeal, ReadSecretError> {
        let mut keys = match &self.endpoint.seal_keys_file {
            Some(path) => read_lines(path)?,
            None => Vec::new(),
        };
        match self.endpoint.api_key.read() {
            Ok(api_key) => keys.push(api_key),
            Err(error) if keys.is_empty() => return Err(error),
            Err(_) => {}
        }
        Ok(UrlSeal::new(self.name(), &keys))
    }
}

/// The accounts of a worker, by name.
#[derive(Clone, Debug, Default)]
pub struct Accounts(BTreeMap<String, Arc<Account>>);

impl Accounts {
    /// Returns the account of a name. An empty name means `default`.
    ///
    /// # Errors
    ///
    /// Returns an error if the worker does not serve the account. The error lists the accounts that it serves.
    pub fn get(&self, name: &str) -> Result<Arc<Account>, InvalidRequest> {
        let account = self.0.get(names::account_or_default(name));
        account.cloned().ok_or_else(|| self.unknown(name))
    }

    /// Returns the error for a request that names an unknown account.
    pub(crate) fn unknown(&self, name: &str) -> InvalidRequest {
        let name = names::account_or_default(name);
        let known: Vec<_> = self.0.keys().map(|name| format!("`{name}`")).collect();
        let problem = format!(
            "is `{name}`, which this worker does not serve; it serves {}",
            known.join(", ")
        );
        InvalidRequest::new("account", problem)
    }

    /// Returns the accounts whose service has a list of tasks, ordered by name.
    pub(crate) fn with_list(&self) -> impl Iterator<Item = &Arc<Account>> {
        self.iter().filter(|it| it.endpoint.list_url().is_some())
    }

    /// Returns all accounts, ordered by name.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Account>> {
        self.0.values()
    }
}

impl FromIterator<Account> for Accounts {
    fn from_iter<I: IntoIterator<Item = Account>>(accounts: I) -> Self {
        let by_name = |account: Account| (account.name().to_owned(), Arc::new(account));
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
    fn the_error_for_an_unknown_account_lists_the_known_ones() {
        let accounts = Accounts::from_iter([account("default", "k"), account("eu", "k")]);
        assert_eq!(accounts.get("").unwrap().name(), "default");
        assert_eq!(accounts.get("eu").unwrap().name(), "eu");
        let error = accounts.get("us").unwrap_err().to_string();
        assert_eq!(
            error,
            "`account` is `us`, which this worker does not serve; it serves `default`, `eu`"
        );
    }

    #[test]
    fn a_url_can_be_unsealed_while_its_key_is_listed() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let derived = account("a", "api-key");
        let mut ring = account("a", "api-key");
        ring.endpoint.seal_keys_file = Some(file.path().to_owned());
        let seal = |account: &Account| account.seal().unwrap().seal("cgt-1", "https://a/v.mp4");
        let opens = |account: &Account, sealed: &str| {
            account.seal().unwrap().unseal("cgt-1", sealed).is_ok()
        };
        let write = |keys: &str| std::fs::write(file.path(), keys).unwrap();

        let by_api_key = seal(&derived);
        write("one\n");
        assert!(opens(&ring, &by_api_key), "the API key always unseals");
        let by_one = seal(&ring);
        assert!(!opens(&derived, &by_one));
        write("two\none\n");
        assert!(opens(&ring, &by_one), "an earlier key is listed");
        let by_two = seal(&ring);
        write("two\n");
        assert!(
            opens(&ring, &by_two) && !opens(&ring, &by_one),
            "a removed key no longer unseals"
        );

        let mut rotated = ring;
        rotated.endpoint.api_key = Secret::Value(SecretString::from("new-api-key"));
        assert!(!opens(&rotated, &by_api_key));
        write("two\napi-key\n");
        assert!(opens(&rotated, &by_api_key), "an earlier API key is listed");
    }
}
