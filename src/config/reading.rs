//! What the environment and the files that it names come to, whole or not. Pure but for those files,
//! so that tests need not change the process's own environment.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use reqwest::Url;

use super::{
    Account, Accounts, Config, InvalidConfig, Operations,
    environment::Environment,
    source::{Fault, Source, Sources},
};

/// Everything that could be read, and everything that is wrong.
#[derive(Clone, Debug)]
pub struct Reading {
    /// The accounts that can be used.
    pub accounts: Accounts,
    /// Archive URL, as in [`Config`].
    pub archive_url: Option<Url>,
    /// As in [`Config`].
    pub task_queue: String,
    /// As in [`Config`].
    pub ingress_address: Option<SocketAddr>,
    /// As in [`Config`].
    pub operations: Operations,
    /// The accounts file, where it was read.
    pub accounts_file: Option<PathBuf>,
    /// What is wrong.
    pub faults: Vec<Fault>,
    pub(super) sources: Sources,
}

impl Reading {
    /// Reads from `variable`, which looks a variable up, and from the files that it names. An empty
    /// variable counts as absent. `default_archive` is used where no archive is named.
    pub fn of(variable: impl Fn(&str) -> Option<String>, default_archive: Option<Url>) -> Self {
        let mut environment = Environment::new(&variable);
        let accounts = environment.accounts();
        let archive_url = environment.archive_url(default_archive);
        let operations = environment.operations();
        let ingress_address = environment.ingress_address(&accounts, operations.queues);
        let task_queue = environment.task_queue();
        let Environment {
            sources,
            faults,
            accounts_file,
            ..
        } = environment;
        Self {
            accounts: Accounts::from_iter(accounts),
            archive_url,
            task_queue,
            ingress_address,
            operations,
            accounts_file,
            faults,
            sources,
        }
    }

    /// The accounts file, where secrets are in it.
    pub fn file_with_secrets(&self) -> Option<&Path> {
        let keys = ["api_key", "callbacks.token"];
        let is_secret = |name: &str| {
            let key = name.splitn(3, '.').nth(2);
            let is_in_file = matches!(self.sources.of(name).0, Source::Line { .. });
            is_in_file && key.is_some_and(|key| keys.contains(&key))
        };
        let path = self.accounts_file.as_deref()?;
        self.sources.names().any(is_secret).then_some(path)
    }

    /// The configuration, where nothing is wrong with it.
    pub(crate) fn config(&self) -> Result<Config, InvalidConfig> {
        match &self.archive_url {
            Some(archive_url) if self.faults.is_empty() => Ok(Config {
                accounts: self.accounts.clone(),
                archive_url: archive_url.clone(),
                task_queue: self.task_queue.clone(),
                ingress_address: self.ingress_address,
                operations: self.operations.clone(),
            }),
            _ => Err(InvalidConfig::of(&self.faults)),
        }
    }

    /// What is wrong, for a person. `None`: nothing.
    pub fn invalid(&self) -> Option<InvalidConfig> {
        (!self.faults.is_empty()).then(|| InvalidConfig::of(&self.faults))
    }
}

impl Config {
    /// Reads the configuration, as [`Reading::of`] does.
    ///
    /// # Errors
    ///
    /// [`InvalidConfig`] has everything that is wrong or missing, each fault with its variable or line, and none
    /// with a value.
    pub fn from_environment(
        variable: impl Fn(&str) -> Option<String>,
        default_archive: Option<Url>,
    ) -> Result<Self, InvalidConfig> {
        Reading::of(variable, default_archive).config()
    }
}

/// The accounts, where nothing else is needed. `variable` looks a variable up.
///
/// # Errors
///
/// Everything that is wrong with them.
pub fn accounts(variable: impl Fn(&str) -> Option<String>) -> Result<Accounts, InvalidConfig> {
    let mut environment = Environment::new(&variable);
    let accounts: Vec<Account> = environment.accounts();
    if environment.faults.is_empty() {
        Ok(Accounts::from_iter(accounts))
    } else {
        Err(InvalidConfig::of(&environment.faults))
    }
}

/// The task queue of workflows and questions: `TEMPORAL_TASK_QUEUE`, or the public one.
pub fn task_queue(variable: impl Fn(&str) -> Option<String>) -> String {
    Environment::new(&variable).task_queue()
}

/// Where health and metrics are asked for, where nothing else is needed. `None`: nowhere.
///
/// # Errors
///
/// Where `SEEDANCE_ADMIN_ADDRESS` is no address.
pub fn admin_address(
    variable: impl Fn(&str) -> Option<String>,
) -> Result<Option<SocketAddr>, InvalidConfig> {
    let mut environment = Environment::new(&variable);
    let address = environment.admin_address();
    if environment.faults.is_empty() {
        Ok(address)
    } else {
        Err(InvalidConfig::of(&environment.faults))
    }
}

/// The archive, where nothing else is needed. `variable` looks a variable up.
///
/// # Errors
///
/// Where `SEEDANCE_ARCHIVE_URL` is missing or no archive URL.
pub fn archive_url(variable: impl Fn(&str) -> Option<String>) -> Result<Url, InvalidConfig> {
    let mut environment = Environment::new(&variable);
    let url = environment.archive_url(None);
    url.ok_or_else(|| InvalidConfig::of(&environment.faults))
}
