//! Configuration from the environment: pure, so that tests need not change the process's own.

use std::net::SocketAddr;

use reqwest::Url;
use seedance_archiver_proto::names;

use super::{
    Account, Accounts, Callbacks, Config, InvalidConfig, Secret, UrlHosts, accounts_file,
    callbacks, preset,
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

impl Config {
    /// Reads the configuration from `variable`, which looks a variable up, and from the files that it
    /// names. An empty variable counts as absent. `default_archive` is used where no archive is named.
    pub fn from_environment(
        variable: impl Fn(&str) -> Option<String>,
        default_archive: Option<Url>,
    ) -> Result<Self, InvalidConfig> {
        let mut environment = Environment {
            variable: &variable,
            faults: Vec::new(),
        };
        let accounts = environment.accounts();
        let archive_url = environment.archive_url(default_archive);
        let ingress_address = environment.ingress_address(&accounts);
        match (archive_url, environment.faults) {
            (Some(archive_url), faults) if faults.is_empty() => Ok(Self {
                accounts: Accounts::from_iter(accounts),
                archive_url,
                task_queue: task_queue(variable),
                ingress_address,
            }),
            (_, faults) => Err(InvalidConfig(faults)),
        }
    }
}

/// The task queue of workflows and questions.
pub fn task_queue(variable: impl Fn(&str) -> Option<String>) -> String {
    let name = variable(TASK_QUEUE).map(|name| name.trim().to_owned());
    name.filter(|name| !name.is_empty())
        .unwrap_or_else(|| names::TASK_QUEUE.to_owned())
}

/// The archive, where nothing else is needed.
pub fn archive_url(variable: impl Fn(&str) -> Option<String>) -> Result<Url, InvalidConfig> {
    let mut environment = Environment {
        variable: &variable,
        faults: Vec::new(),
    };
    let url = environment.archive_url(None);
    url.ok_or(InvalidConfig(environment.faults))
}

/// The environment, and what was found wrong with it.
struct Environment<'a> {
    variable: &'a dyn Fn(&str) -> Option<String>,
    faults: Vec<String>,
}

impl Environment<'_> {
    fn get(&self, name: &str) -> Option<String> {
        (self.variable)(name).filter(|value| !value.trim().is_empty())
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
                self.faults.push(format!("{name} {problem}"));
                None
            }
        }
    }

    /// Those of the file, and the one that the environment itself describes: without a file, or where
    /// it says anything of one.
    fn accounts(&mut self) -> Vec<Account> {
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
        let given = own.into_iter().find(|name| self.get(name).is_some());
        let is_in_file = accounts.iter().any(|it| it.name == names::DEFAULT_ACCOUNT);
        match given {
            Some(name) if is_in_file => self.faults.push(format!(
                "{name} is set, but {ACCOUNTS_FILE} has the account `{}` too: keep one",
                names::DEFAULT_ACCOUNT
            )),
            None if path.is_some() => {}
            _ => accounts.extend(self.account()),
        }
        accounts
    }

    fn accounts_of(&mut self, path: &str) -> Vec<Account> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) => {
                let fault = format!("{ACCOUNTS_FILE} names {path}, which cannot be read: {error}");
                self.faults.push(fault);
                return Vec::new();
            }
        };
        accounts_file::read(path, &text, self.variable).unwrap_or_else(|faults| {
            self.faults.extend(faults);
            Vec::new()
        })
    }

    fn account(&mut self) -> Option<Account> {
        let api_key = self.api_key();
        let base_url = self
            .get(BASE_URL)
            .unwrap_or_else(|| preset::DEFAULT.base_url.into());
        let base_url = match http_url(&base_url) {
            Ok(url) => Some(url),
            Err(problem) => {
                self.faults.push(format!("{BASE_URL} {problem}"));
                None
            }
        };
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

    fn api_key(&mut self) -> Option<Secret> {
        if self.get(API_KEY).is_none() && self.get(API_KEY_FILE).is_none() {
            self.faults.push(format!(
                "{API_KEY} is not set: give it the API key of your account, or {API_KEY_FILE} the path \
                 of a file that holds it, or {ACCOUNTS_FILE} that of a file of accounts"
            ));
        }
        self.secret(API_KEY, API_KEY_FILE)
    }

    /// A secret by value or file.
    fn secret(&mut self, value: &str, file: &str) -> Option<Secret> {
        match (self.get(value), self.get(file)) {
            (Some(_), Some(_)) => {
                self.faults
                    .push(format!("{value} and {file} are both set: keep one"));
                None
            }
            (Some(secret), None) => Some(Secret::from(secret.trim().to_owned())),
            (None, _) => self.parsed(file, accounts_file::secret_file),
        }
    }

    fn callbacks(&mut self) -> Option<Callbacks> {
        let token = self.secret(CALLBACK_TOKEN, CALLBACK_TOKEN_FILE);
        if token.is_none() && self.get(CALLBACK_STARTS).is_some() {
            self.faults.push(format!(
                "{CALLBACK_STARTS} is set, but no callbacks are taken without a {CALLBACK_TOKEN}"
            ));
        }
        let token = token?;
        if let Err(problem) = callbacks::check(&token) {
            self.faults.push(format!("{CALLBACK_TOKEN} {problem}"));
        }
        let start_lifecycles = self.parsed(CALLBACK_STARTS, flag);
        Some(Callbacks {
            token,
            start_lifecycles: start_lifecycles.unwrap_or_default(),
        })
    }

    /// Callbacks need both, a place where they come in and an account that takes them.
    fn ingress_address(&mut self, accounts: &[Account]) -> Option<SocketAddr> {
        let address = self.parsed(INGRESS_ADDRESS, |address| {
            address
                .trim()
                .parse()
                .map_err(|_| "must be an address to listen on, such as `0.0.0.0:8088`".to_owned())
        });
        let taking = accounts.iter().find(|account| account.callbacks.is_some());
        match (taking, self.get(INGRESS_ADDRESS)) {
            (Some(account), None) => self.faults.push(format!(
                "{INGRESS_ADDRESS} is not set, and the account `{}` takes callbacks: say where they \
                 come in, e.g. `0.0.0.0:8088`",
                account.name
            )),
            (None, Some(_)) if self.faults.is_empty() => self.faults.push(format!(
                "{INGRESS_ADDRESS} is set, and no account takes callbacks: give it a \
                 {CALLBACK_TOKEN}, or a table `callbacks` in {ACCOUNTS_FILE}"
            )),
            _ => {}
        }
        address
    }

    fn archive_url(&mut self, default: Option<Url>) -> Option<Url> {
        if self.get(ARCHIVE_URL).is_none() && default.is_none() {
            self.faults.push(format!(
                "{ARCHIVE_URL} is not set: say where videos go, e.g. `s3://bucket/prefix` or \
                 `file:///srv/videos`"
            ));
        }
        self.parsed(ARCHIVE_URL, url::archive_url).or(default)
    }
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
