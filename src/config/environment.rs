//! Reads the environment, variable by variable. A fault does not end the reading.

pub(crate) mod operations;

use std::{net::SocketAddr, path::PathBuf};

use reqwest::Url;
use seedance_archiver_proto::names;

use super::{
    Account, Callbacks, Queues, Secret, UrlHosts, accounts_file, callbacks, preset,
    source::{Fault, Source, Sources},
    url::{self, http_url},
};

const ACCOUNTS_FILE: &str = "SEEDANCE_ACCOUNTS_FILE";
const API_KEY: &str = "SEEDANCE_API_KEY";
const API_KEY_FILE: &str = "SEEDANCE_API_KEY_FILE";
const BASE_URL: &str = "SEEDANCE_BASE_URL";
const URL_HOSTS: &str = "SEEDANCE_URL_HOSTS";
const SEAL_KEYS_FILE: &str = "SEEDANCE_SEAL_KEYS_FILE";
const CALLBACK_TOKEN: &str = "SEEDANCE_CALLBACK_TOKEN";
const CALLBACK_TOKEN_FILE: &str = "SEEDANCE_CALLBACK_TOKEN_FILE";
const CALLBACK_STARTS: &str = "SEEDANCE_CALLBACK_START_LIFECYCLES";
const AUTO_ARCHIVE: &str = "SEEDANCE_AUTO_ARCHIVE";
const INGRESS_ADDRESS: &str = "SEEDANCE_INGRESS_ADDRESS";
const ARCHIVE_URL: &str = "SEEDANCE_ARCHIVE_URL";
const TASK_QUEUE: &str = "TEMPORAL_TASK_QUEUE";

/// Names of the settings that variables are about, as in the accounts file.
const SETTINGS: [(&str, &str); 13] = [
    (ACCOUNTS_FILE, setting::ACCOUNTS_FILE),
    (API_KEY, "accounts.default.api_key"),
    (API_KEY_FILE, "accounts.default.api_key_file"),
    (BASE_URL, setting::BASE_URL),
    (URL_HOSTS, "accounts.default.url_hosts"),
    (SEAL_KEYS_FILE, "accounts.default.seal_keys_file"),
    (CALLBACK_TOKEN, "accounts.default.callbacks.token"),
    (CALLBACK_TOKEN_FILE, "accounts.default.callbacks.token_file"),
    (
        CALLBACK_STARTS,
        "accounts.default.callbacks.start_lifecycles",
    ),
    (AUTO_ARCHIVE, "accounts.default.auto_archive"),
    (INGRESS_ADDRESS, setting::INGRESS_ADDRESS),
    (ARCHIVE_URL, setting::ARCHIVE_URL),
    (TASK_QUEUE, setting::TASK_QUEUE),
];

/// Names of settings beside those of accounts.
pub(super) mod setting {
    pub(in crate::config) const ACCOUNTS_FILE: &str = "accounts_file";
    pub(in crate::config) const BASE_URL: &str = "accounts.default.base_url";
    pub(in crate::config) const INGRESS_ADDRESS: &str = "ingress_address";
    pub(in crate::config) const ARCHIVE_URL: &str = "archive_url";
    pub(in crate::config) const TASK_QUEUE: &str = "task_queue";
}

/// The environment, where its settings were read, and what was found wrong with it.
pub(super) struct Environment<'a> {
    variable: &'a dyn Fn(&str) -> Option<String>,
    pub(super) sources: Sources,
    pub(super) faults: Vec<Fault>,
    /// The accounts file, where it was read.
    pub(super) accounts_file: Option<PathBuf>,
}

impl<'a> Environment<'a> {
    /// One in which `variable` looks a variable up. An empty one counts as absent.
    pub(super) fn new(variable: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Self {
            variable,
            sources: Sources::default(),
            faults: Vec::new(),
            accounts_file: None,
        }
    }

    fn has(&self, name: &str) -> bool {
        self.look_up(name).is_some()
    }

    /// The value of a variable, which is used.
    fn get(&mut self, name: &str) -> Option<String> {
        let value = self.look_up(name)?;
        if let Some(setting) = setting_of(name) {
            let source = Source::Variable(name.to_owned());
            self.sources.note(setting, source);
        }
        Some(value)
    }

    fn look_up(&self, name: &str) -> Option<String> {
        (self.variable)(name).filter(|value| !value.trim().is_empty())
    }

    /// An address to listen on.
    fn address(&mut self, name: &str, example: &str) -> Option<SocketAddr> {
        self.parsed(name, |text| {
            let address = text.trim().parse();
            address.map_err(|_| format!("must be an address to listen on, such as `{example}`"))
        })
    }

    /// A variable as what it stands for.
    fn parsed<T>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        match parse(&self.get(name)?) {
            Ok(value) => Some(value),
            Err(problem) => {
                self.fault(name, problem);
                None
            }
        }
    }

    fn fault(&mut self, name: &str, problem: impl Into<String>) {
        if let Some(setting) = setting_of(name) {
            self.sources.is_wrong(setting);
        }
        self.faults.push(Fault {
            source: Source::Variable(name.to_owned()),
            problem: problem.into(),
        });
    }

    /// Those of the file, and the one that the environment itself describes: without a file, or where
    /// it says anything of one.
    pub(super) fn accounts(&mut self) -> Vec<Account> {
        let path = self.get(ACCOUNTS_FILE);
        let mut accounts = match &path {
            Some(path) => self.accounts_of(path),
            None => Vec::new(),
        };
        let own = [
            API_KEY,
            API_KEY_FILE,
            BASE_URL,
            URL_HOSTS,
            SEAL_KEYS_FILE,
            CALLBACK_TOKEN,
            CALLBACK_TOKEN_FILE,
            CALLBACK_STARTS,
            AUTO_ARCHIVE,
        ];
        let given = own.into_iter().find(|name| self.has(name));
        let is_in_file = accounts
            .iter()
            .any(|it| it.name() == names::DEFAULT_ACCOUNT);
        match given {
            Some(name) if is_in_file => self.fault(
                name,
                format!(
                    "is set, but {ACCOUNTS_FILE} has the account `{}` too: keep one",
                    names::DEFAULT_ACCOUNT
                ),
            ),
            None if path.is_some() => {}
            _ => accounts.extend(self.account()),
        }
        accounts
    }

    fn accounts_of(&mut self, path: &str) -> Vec<Account> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) => {
                let problem = format!("names {path}, which cannot be read: {error}");
                self.fault(ACCOUNTS_FILE, problem);
                return Vec::new();
            }
        };
        self.accounts_file = Some(path.into());
        let file = accounts_file::read(path, &text, self.variable);
        self.sources.extend(file.sources);
        self.faults.extend(file.faults);
        file.accounts
    }

    fn account(&mut self) -> Option<Account> {
        let api_key = self.api_key();
        let base_url = self.base_url();
        let url_hosts = self.parsed(URL_HOSTS, url_hosts);
        let seal_keys_file = self.parsed(SEAL_KEYS_FILE, accounts_file::seal_keys_file);
        let callbacks = self.callbacks();
        let auto_archive = self.parsed(AUTO_ARCHIVE, flag);
        let account = Account::new(names::DEFAULT_ACCOUNT, base_url?, api_key?);
        Some(Account {
            auto_archive: auto_archive.unwrap_or_default(),
            callbacks,
            seal_keys_file,
            url_hosts: url_hosts.unwrap_or_else(|| account.url_hosts.clone()),
            ..account
        })
    }

    fn base_url(&mut self) -> Option<Url> {
        if self.has(BASE_URL) {
            return self.parsed(BASE_URL, http_url);
        }
        let preset = preset::DEFAULT;
        let source = Source::Preset(preset.name);
        self.sources.note(setting::BASE_URL, source);
        preset.base_url.parse().ok()
    }

    fn api_key(&mut self) -> Option<Secret> {
        if !self.has(API_KEY) && !self.has(API_KEY_FILE) {
            let problem = format!(
                "is not set: give it the API key of your account, or {API_KEY_FILE} the path of a file \
                 that holds it, or {ACCOUNTS_FILE} that of a file of accounts"
            );
            self.fault(API_KEY, problem);
        }
        self.secret(API_KEY, API_KEY_FILE)
    }

    /// A secret by value or file.
    fn secret(&mut self, value: &str, file: &str) -> Option<Secret> {
        match (self.get(value), self.get(file)) {
            (Some(_), Some(_)) => {
                self.fault(value, format!("and {file} are both set: keep one"));
                None
            }
            (Some(secret), None) => Some(Secret::from(secret.trim().to_owned())),
            (None, _) => self.parsed(file, accounts_file::secret_file),
        }
    }

    fn callbacks(&mut self) -> Option<Callbacks> {
        let token = self.secret(CALLBACK_TOKEN, CALLBACK_TOKEN_FILE);
        if token.is_none() && self.has(CALLBACK_STARTS) {
            let problem = format!("is set, but no callbacks are taken without a {CALLBACK_TOKEN}");
            self.fault(CALLBACK_STARTS, problem);
        }
        let token = token?;
        if let Err(problem) = callbacks::check(&token) {
            self.fault(CALLBACK_TOKEN, problem);
        }
        let start_lifecycles = self.parsed(CALLBACK_STARTS, flag);
        Some(Callbacks {
            token,
            start_lifecycles: start_lifecycles.unwrap_or_default(),
        })
    }

    /// Callbacks need both, a place where they come in and an account that takes them. They come in where
    /// questions are asked.
    pub(super) fn ingress_address(
        &mut self,
        accounts: &[Account],
        queues: Queues,
    ) -> Option<SocketAddr> {
        if !queues.query {
            return None;
        }
        let address = self.address(INGRESS_ADDRESS, "0.0.0.0:8088");
        let taking = accounts.iter().find(|account| account.callbacks.is_some());
        match (taking, self.has(INGRESS_ADDRESS)) {
            (Some(account), false) => self.fault(
                INGRESS_ADDRESS,
                format!(
                    "is not set, and the account `{}` takes callbacks: say where they come in, e.g. \
                     `0.0.0.0:8088`",
                    account.name()
                ),
            ),
            (None, true) if self.faults.is_empty() => self.fault(
                INGRESS_ADDRESS,
                format!(
                    "is set, and no account takes callbacks: give it a {CALLBACK_TOKEN}, or a table \
                     `callbacks` in {ACCOUNTS_FILE}"
                ),
            ),
            _ => {}
        }
        address
    }

    pub(super) fn task_queue(&mut self) -> String {
        let name = self.get(TASK_QUEUE);
        name.map_or_else(
            || names::TASK_QUEUE.to_owned(),
            |name| name.trim().to_owned(),
        )
    }

    pub(super) fn archive_url(&mut self, default: Option<Url>) -> Option<Url> {
        if !self.has(ARCHIVE_URL) && default.is_none() {
            self.fault(
                ARCHIVE_URL,
                "is not set: say where videos go, e.g. `s3://bucket/prefix` or `file:///srv/videos`",
            );
        }
        self.parsed(ARCHIVE_URL, url::archive_url).or(default)
    }
}

fn setting_of(variable: &str) -> Option<&'static str> {
    let settings = SETTINGS.iter().chain(&operations::SETTINGS);
    let (_, setting) = settings.into_iter().find(|(it, _)| *it == variable)?;
    Some(setting)
}

fn flag(word: &str) -> Result<bool, String> {
    let flag = word.trim().parse();
    flag.map_err(|_| "must be true or false".to_owned())
}

fn url_hosts(list: &str) -> Result<UrlHosts, String> {
    let hosts: Vec<_> = list.split(',').map(str::trim).collect();
    UrlHosts::parse(&hosts)
}

#[cfg(test)]
mod tests;
