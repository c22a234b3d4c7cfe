//! Loads a configuration from the environment and the files that it names. Apart from those files, loading is a
//! pure function of the variables, so that tests need not change the environment of the process.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use reqwest::Url;
use seedance_archiver_http::Proxy;

use super::{
    account::Accounts,
    accounts_reader::{self, ReadAccount},
    environment::Environment,
    error::{ConfigError, InvalidConfig},
    reader::{Input, Reader},
    settings::{Listing, Setting},
    source::Source,
    tables::{
        self,
        worker::{ACCOUNTS_FILE, ADMIN_ADDRESS, ARCHIVE_URL, INGRESS_ADDRESS, TASK_QUEUE},
    },
    worker_draft::WorkerDraft,
    worker_settings::WorkerSettings,
};

/// The ends of the names of settings whose values are secrets.
const SECRETS: [&str; 4] = [
    ".api_key",
    ".callbacks.token",
    ".webhook.url",
    ".webhook.key",
];

/// The effective configuration of a worker.
#[derive(Clone, Debug)]
pub struct Config {
    /// The accounts that the worker serves.
    pub accounts: Accounts,
    /// URL of the archive for requests that name no other destination.
    pub archive_url: Url,
    /// Task queue of workflows and queries. The queue of transfers is named after it.
    pub task_queue: String,
    /// Listen address for callbacks. `None` if callbacks are not accepted.
    pub ingress_address: Option<SocketAddr>,
    /// How the worker runs.
    pub worker: WorkerSettings,
}

/// Whether a worker listens for callbacks.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Ingress {
    /// If an account accepts callbacks, at the configured address.
    IfConfigured,
    /// Never.
    None,
}

/// A configuration that may be invalid, with its errors.
#[derive(Clone, Debug)]
pub struct LoadedConfig {
    /// The accounts that can be used.
    pub accounts: Accounts,
    /// As in [`Config`]. `None` if missing or invalid.
    pub archive_url: Option<Url>,
    /// As in [`Config`].
    pub task_queue: String,
    /// As in [`Config`].
    pub ingress_address: Option<SocketAddr>,
    /// As in [`Config`].
    pub worker: WorkerSettings,
    /// The accounts file, if it was read.
    pub accounts_file: Option<PathBuf>,
    /// All errors.
    pub errors: Vec<ConfigError>,
    /// Every setting, with its value and its source.
    pub settings: Vec<Setting>,
}

impl LoadedConfig {
    /// Loads a configuration. `variable` returns an environment variable; an empty one counts as not set.
    /// `default_archive` is used if no archive is set.
    pub fn load(variable: impl Fn(&str) -> Option<String>, default_archive: Option<Url>) -> Self {
        Self::read(variable, default_archive, Ingress::IfConfigured)
    }

    /// Loads the configuration of a worker with or without an ingress.
    pub(super) fn read(
        variable: impl Fn(&str) -> Option<String>,
        default_archive: Option<Url>,
        ingress: Ingress,
    ) -> Self {
        let rows = tables::worker::rows();
        let input = Environment::new(&variable, "", &rows);
        let mut reader = Reader::default();
        let mut worker = WorkerDraft::default();
        // Errors are listed in the order in which they are found: those of the accounts come first.
        let (file_rows, worker_rows): (Vec<_>, Vec<_>) =
            rows.iter().partition(|row| row.name == ACCOUNTS_FILE);
        reader.read(file_rows, &input, &mut worker);
        let accounts =
            accounts_reader::read(&mut worker.accounts_file, &input, &variable, &mut reader);

        let (ingress_rows, worker_rows): (Vec<_>, Vec<_>) = worker_rows
            .into_iter()
            .partition(|row| row.name == INGRESS_ADDRESS);
        reader.read(worker_rows, &input, &mut worker);
        require_archive(&mut worker, default_archive, &input, &mut reader);
        worker.finish(&input, &mut reader);
        // Callbacks arrive where tasks are queried, so other workers ignore the ingress address.
        if ingress == Ingress::IfConfigured && worker.settings.queues.query {
            reader.read(ingress_rows, &input, &mut worker);
            check_ingress(&accounts, &input, &mut reader);
        }
        Self::new(accounts, worker, reader)
    }

    fn new(mut accounts: Vec<ReadAccount>, mut worker: WorkerDraft, reader: Reader) -> Self {
        let mut listing = Listing::new(&reader.sources);
        listing.add_rows(&tables::worker::rows(), "", &mut worker);
        let rows = tables::account::rows();
        accounts.sort_by(|a, b| a.account.name().cmp(b.account.name()));
        let accounts = accounts.into_iter().map(|mut read| {
            let prefix = format!("accounts.{}.", read.account.name());
            listing.add_rows(&rows, &prefix, &mut read.draft);
            read.account
        });
        Self {
            accounts: accounts.collect(),
            archive_url: worker.archive_url,
            task_queue: worker.task_queue,
            ingress_address: worker.ingress_address,
            worker: worker.settings,
            accounts_file: worker.accounts_file,
            settings: listing.finish(),
            errors: reader.errors,
        }
    }

    /// Returns the accounts file if it contains secrets.
    pub fn accounts_file_with_secrets(&self) -> Option<&Path> {
        let mut proxies = self.accounts.iter().filter_map(|it| it.proxy.as_ref());
        let has_secret_proxy = proxies.any(Proxy::is_secret);
        let is_secret = |setting: &Setting| {
            let is_in_file = matches!(setting.source, Source::Line { .. });
            let name = &setting.name;
            let is_key = SECRETS.iter().any(|secret| name.ends_with(secret));
            is_in_file && (is_key || name.ends_with(".proxy") && has_secret_proxy)
        };
        let path = self.accounts_file.as_deref()?;
        self.settings.iter().any(is_secret).then_some(path)
    }

    /// Returns the configuration.
    ///
    /// # Errors
    ///
    /// Returns [`InvalidConfig`] with all errors, if there are any.
    pub fn config(&self) -> Result<Config, InvalidConfig> {
        match (&self.archive_url, self.invalid()) {
            (Some(archive_url), None) => Ok(Config {
                accounts: self.accounts.clone(),
                archive_url: archive_url.clone(),
                task_queue: self.task_queue.clone(),
                ingress_address: self.ingress_address,
                worker: self.worker.clone(),
            }),
            (_, invalid) => Err(invalid.unwrap_or_default()),
        }
    }

    /// Returns all errors, or `None` if the configuration is valid.
    pub fn invalid(&self) -> Option<InvalidConfig> {
        (!self.errors.is_empty()).then(|| InvalidConfig::new(&self.errors))
    }
}

impl Config {
    /// Loads a configuration, as [`LoadedConfig::load`] does.
    ///
    /// # Errors
    ///
    /// Returns [`InvalidConfig`] if the configuration is invalid. It contains every error with its variable or
    /// line, and no value that may be a secret.
    pub fn from_environment(
        variable: impl Fn(&str) -> Option<String>,
        default_archive: Option<Url>,
    ) -> Result<Self, InvalidConfig> {
        LoadedConfig::load(variable, default_archive).config()
    }
}

/// Returns the accounts, for commands that need no other settings. `variable` returns an environment variable.
///
/// # Errors
///
/// Returns an error if an account is invalid.
pub fn accounts(variable: impl Fn(&str) -> Option<String>) -> Result<Accounts, InvalidConfig> {
    let rows = tables::worker::rows();
    let input = Environment::new(&variable, "", &rows);
    let (mut worker, mut reader) = read_one(ACCOUNTS_FILE, &variable);
    let accounts = accounts_reader::read(&mut worker.accounts_file, &input, &variable, &mut reader);
    valid(
        accounts.into_iter().map(|read| read.account).collect(),
        &reader,
    )
}

/// Returns the task queue of workflows and queries: `TEMPORAL_TASK_QUEUE`, or `seedance-archiver`.
///
/// # Errors
///
/// Returns an error if `TEMPORAL_TASK_QUEUE` is not the name of a task queue.
pub fn task_queue(variable: impl Fn(&str) -> Option<String>) -> Result<String, InvalidConfig> {
    let (worker, reader) = read_one(TASK_QUEUE, &variable);
    valid(worker.task_queue, &reader)
}

/// Returns the listen address for health checks and metrics, or `None` if it is not set.
///
/// # Errors
///
/// Returns an error if `SEEDANCE_ADMIN_ADDRESS` is not an address.
pub fn admin_address(
    variable: impl Fn(&str) -> Option<String>,
) -> Result<Option<SocketAddr>, InvalidConfig> {
    let (worker, reader) = read_one(ADMIN_ADDRESS, &variable);
    valid(worker.settings.admin_address, &reader)
}

/// Returns the URL of the archive. `variable` returns an environment variable.
///
/// # Errors
///
/// Returns an error if `SEEDANCE_ARCHIVE_URL` is missing or invalid.
pub fn archive_url(variable: impl Fn(&str) -> Option<String>) -> Result<Url, InvalidConfig> {
    let rows = tables::worker::rows();
    let input = Environment::new(&variable, "", &rows);
    let (mut worker, mut reader) = read_one(ARCHIVE_URL, &variable);
    require_archive(&mut worker, None, &input, &mut reader);
    worker
        .archive_url
        .ok_or_else(|| InvalidConfig::new(&reader.errors))
}

/// Reads one setting of a worker.
fn read_one(name: &str, variable: &dyn Fn(&str) -> Option<String>) -> (WorkerDraft, Reader) {
    let rows = tables::worker::rows();
    let input = Environment::new(variable, "", &rows);
    let (mut worker, mut reader) = (WorkerDraft::default(), Reader::default());
    let row = rows.iter().filter(|row| row.name == name);
    reader.read(row, &input, &mut worker);
    (worker, reader)
}

fn valid<T>(value: T, reader: &Reader) -> Result<T, InvalidConfig> {
    match reader.errors.as_slice() {
        [] => Ok(value),
        errors => Err(InvalidConfig::new(errors)),
    }
}

fn require_archive(
    worker: &mut WorkerDraft,
    default: Option<Url>,
    input: &Environment,
    reader: &mut Reader,
) {
    if !input.is_given(ARCHIVE_URL) && default.is_none() {
        let problem = "is not set; set it to the destination of videos, such as \
                       `s3://bucket/prefix` or `file:///srv/videos`";
        reader.error(input, ARCHIVE_URL, problem);
    }
    worker.archive_url = worker.archive_url.take().or(default);
}

/// Checks that callbacks have both a listen address and an account that accepts them.
fn check_ingress(accounts: &[ReadAccount], input: &Environment, reader: &mut Reader) {
    let accounts = accounts.iter().map(|read| &read.account);
    let accepting = accounts.into_iter().find(|it| it.callbacks.is_some());
    match (accepting, input.is_given(INGRESS_ADDRESS)) {
        (Some(account), false) => {
            let problem = format!(
                "is not set, but the account `{}` accepts callbacks; set it to a listen address such as \
                 `0.0.0.0:8088`",
                account.name()
            );
            reader.error(input, INGRESS_ADDRESS, problem);
        }
        // With other errors, the account that accepts callbacks may be the one that is invalid.
        (None, true) if reader.errors.is_empty() => {
            let accounts_file = input.label(ACCOUNTS_FILE);
            let problem = format!(
                "is set, but no account accepts callbacks; set SEEDANCE_CALLBACK_TOKEN, or add a \
                 `callbacks` table to an account in {accounts_file}"
            );
            reader.error(input, INGRESS_ADDRESS, problem);
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests;
