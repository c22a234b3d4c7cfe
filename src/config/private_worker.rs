//! The configuration of a worker that a command runs for itself, beside a Temporal server of its own.

use reqwest::Url;

use super::{
    account::{Account, Accounts},
    error::InvalidConfig,
    loaded::{Config, Ingress, LoadedConfig},
    tables::worker::QUEUES,
};

/// Variables that give a worker its part among others, or a port. A command may run in the environment of such a worker, but
/// nobody else serves the queues of its own server, or makes a worker deployment version current there.
const IGNORED: [&str; 5] = [
    QUEUES,
    "SEEDANCE_ADMIN_ADDRESS",
    "SEEDANCE_VERSIONING",
    "TEMPORAL_DEPLOYMENT_NAME",
    "TEMPORAL_WORKER_BUILD_ID",
];

impl Config {
    /// Loads the configuration of a worker that a command runs for itself. It serves both task queues, without worker
    /// versioning, neither requests callbacks nor listens for them, and starts no lifecycles by itself. `default_archive` is
    /// used if no archive is set.
    ///
    /// # Errors
    ///
    /// See [`Config::from_environment`].
    pub(crate) fn of_private_worker(
        variable: impl Fn(&str) -> Option<String>,
        default_archive: Url,
    ) -> Result<Self, InvalidConfig> {
        let variable = |name: &str| match IGNORED.contains(&name) {
            true => None,
            false => variable(name),
        };
        let loaded = LoadedConfig::read(variable, Some(default_archive), Ingress::None);
        let config = loaded.config()?;
        Ok(Self {
            accounts: for_given_tasks(&config.accounts),
            ..config
        })
    }
}

/// Returns the accounts for a worker that archives only the tasks of its command. Its Temporal server knows no lifecycle of
/// another worker, so with `auto_archive` it would start one for every task.
fn for_given_tasks(accounts: &Accounts) -> Accounts {
    let accounts = accounts.iter().map(|account| Account {
        callbacks: None,
        auto_archive: false,
        ..Account::clone(account)
    });
    accounts.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::WorkerSettings;

    #[test]
    fn the_part_of_a_worker_among_others_does_not_apply() {
        let variable = |name: &str| {
            let value = match name {
                "SEEDANCE_API_KEY" => "key",
                "SEEDANCE_CALLBACK_TOKEN" => "0123456789abcdef",
                "SEEDANCE_CALLBACK_URL" => "https://archiver.example",
                "SEEDANCE_AUTO_ARCHIVE" => "true",
                "SEEDANCE_QUEUES" => "transfer",
                // Without the name of the deployment: a worker would not start.
                "TEMPORAL_WORKER_BUILD_ID" => "1",
                "TEMPORAL_TASK_QUEUE" => "videos",
                _ => return None,
            };
            Some(value.to_owned())
        };
        let archive: Url = "file:///srv/videos".parse().unwrap();
        assert!(Config::from_environment(variable, Some(archive.clone())).is_err());
        let config = Config::of_private_worker(variable, archive.clone()).unwrap();
        assert_eq!(config.worker, WorkerSettings::default());
        assert_eq!(config.ingress_address, None);
        assert_eq!(config.archive_url, archive);
        assert_eq!(config.task_queue, "videos");
        let account = config.accounts.get("").unwrap();
        assert!(account.callbacks.is_none() && !account.auto_archive);
    }

    #[test]
    fn the_ingress_address_is_ignored() {
        for address in ["127.0.0.1:8088", "8088"] {
            let variable = |name: &str| match name {
                "SEEDANCE_API_KEY" => Some("key".to_owned()),
                "SEEDANCE_INGRESS_ADDRESS" => Some(address.to_owned()),
                _ => None,
            };
            let archive = "file:///srv/videos".parse().unwrap();
            let config = Config::of_private_worker(variable, archive).unwrap();
            assert_eq!(config.ingress_address, None, "{address}");
        }
    }
}
