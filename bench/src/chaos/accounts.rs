//! The accounts file of a worker, and those with which it is restarted.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use anyhow::Context;

use super::{
    plan::{Account, Change, WORKERS},
    rates::QUERIES_PER_SECOND,
    windows,
};
use crate::archiver::PATH_WITHOUT_LIST;

/// A path of tasks with the id in the query, as on some gateways. The simulator serves both.
const PATH_IN_QUERY: &str = "contents/generations/tasks?id={task_id}";

/// The secrets of an account.
#[derive(Clone, Debug)]
pub(super) struct Secrets {
    pub(super) account: Account,
    pub(super) key: String,
    /// The key to which the account is rotated. The API accepts both.
    pub(super) other_key: String,
    /// The key that seals URLs, as the steps for replacing an API key demand.
    pub(super) seal_key: String,
    /// The key that sealed them before, and unseals.
    pub(super) earlier_seal_key: String,
    pub(super) callback_token: String,
}

impl Secrets {
    pub(super) fn new(account: Account, seed: u64) -> Self {
        let secret = |kind: &str| format!("{}-{kind}-{seed:016x}-chaos", account.name());
        Self {
            account,
            key: secret("first-key"),
            other_key: secret("second-key"),
            seal_key: secret("seal-key"),
            earlier_seal_key: secret("earlier-seal-key"),
            callback_token: secret("callback-token"),
        }
    }

    pub(super) fn all(&self) -> [&str; 5] {
        [
            &self.key,
            &self.other_key,
            &self.seal_key,
            &self.earlier_seal_key,
            &self.callback_token,
        ]
    }

    /// Writes the files with the seal keys, unless a worker may already read them.
    fn write_seal_keys(&self, directory: &Path) -> anyhow::Result<SealKeys> {
        let Self {
            account,
            seal_key,
            earlier_seal_key,
            ..
        } = self;
        let write = |kind: &str, keys: &str| {
            let path = directory.join(format!("{kind}-{}", account.name()));
            if !path.exists() {
                fs::write(&path, keys).context("cannot write the seal keys")?;
            }
            anyhow::Ok(path)
        };
        Ok(SealKeys {
            all: write("seal-keys", &format!("{seal_key}\n{earlier_seal_key}\n"))?,
            earlier: write("earlier-seal-key", earlier_seal_key)?,
        })
    }

    /// Returns the path to which callbacks of the account are posted.
    pub(super) fn callback_path(&self) -> String {
        format!("/callbacks/{}/{}", self.account.name(), self.callback_token)
    }
}

/// The files with the seal keys of an account.
struct SealKeys {
    all: PathBuf,
    /// From before the last rotation.
    earlier: PathBuf,
}

/// The accounts files of one worker.
#[derive(Clone, Debug)]
pub(super) struct AccountsFile {
    first: PathBuf,
    key: PathBuf,
    rate: PathBuf,
    version: PathBuf,
    fewer: PathBuf,
    earlier: PathBuf,
}

/// An account, and where a worker reaches its API.
pub(super) struct Api<'a> {
    pub(super) secrets: &'a Secrets,
    pub(super) address: SocketAddr,
}

/// What differs between the files of a worker.
#[derive(Clone, Copy)]
struct Variant {
    has_other_key: bool,
    rate: u32,
    /// Whether it has only settings that version 0.1.0 knows: an unknown one is an error.
    is_for_other_version: bool,
    has_main_accounts: bool,
    has_new_seal_key: bool,
}

const FIRST: Variant = Variant {
    has_other_key: false,
    rate: QUERIES_PER_SECOND,
    is_for_other_version: false,
    has_main_accounts: true,
    has_new_seal_key: true,
};
const KEY: Variant = Variant {
    has_other_key: true,
    ..FIRST
};
const RATE: Variant = Variant { rate: 8, ..FIRST };
/// Version 0.1.0 does not share the limit: its worker has a part of it.
const VERSION: Variant = Variant {
    rate: QUERIES_PER_SECOND / WORKERS as u32,
    is_for_other_version: true,
    ..FIRST
};
const FEWER: Variant = Variant {
    has_main_accounts: false,
    ..FIRST
};
const EARLIER: Variant = Variant {
    has_new_seal_key: false,
    ..FIRST
};

impl Variant {
    fn has(self, account: Account) -> bool {
        let is_main = matches!(account, Account::Called | Account::Automatic);
        self.has_main_accounts || !is_main
    }
}

impl AccountsFile {
    /// Writes the files of a worker. `destination` is a further archive.
    pub(super) fn write(
        directory: &Path,
        worker: usize,
        apis: &[Api<'_>],
        destination: Option<&str>,
    ) -> anyhow::Result<Self> {
        let seal_keys = apis
            .iter()
            .map(|api| api.secrets.write_seal_keys(directory));
        let seal_keys = seal_keys.collect::<Result<Vec<_>, _>>()?;
        let write = |name: &str, variant: Variant| {
            let path = directory.join(format!("accounts-{worker}-{name}.toml"));
            let accounts = apis.iter().zip(&seal_keys);
            let text: String = accounts
                .filter(|(api, _)| variant.has(api.secrets.account))
                .map(|(api, seal_keys)| account(api, variant, seal_keys, destination))
                .collect();
            fs::write(&path, text).context("cannot write an accounts file")?;
            anyhow::Ok(path)
        };
        Ok(Self {
            first: write("first", FIRST)?,
            key: write("key", KEY)?,
            rate: write("rate", RATE)?,
            version: write("version", VERSION)?,
            fewer: write("fewer", FEWER)?,
            earlier: write("earlier", EARLIER)?,
        })
    }

    /// Returns the path of the file of a worker with a change.
    pub(super) fn path(&self, change: Option<Change>) -> &Path {
        match change {
            Some(Change::Key) => &self.key,
            Some(Change::Rate) => &self.rate,
            Some(Change::Version) => &self.version,
            Some(Change::FewerAccounts) => &self.fewer,
            Some(Change::EarlierSealKey) => &self.earlier,
            Some(Change::ClockAhead | Change::ClockBehind) | None => &self.first,
        }
    }
}

fn account(
    api: &Api<'_>,
    variant: Variant,
    seal_keys: &SealKeys,
    destination: Option<&str>,
) -> String {
    let Secrets {
        account,
        key,
        other_key,
        callback_token,
        ..
    } = api.secrets;
    let name = account.name();
    let address = api.address;
    let key = if variant.has_other_key {
        other_key
    } else {
        key
    };
    let seal_keys = match variant.has_new_seal_key {
        true => &seal_keys.all,
        false => &seal_keys.earlier,
    };
    let rate = variant.rate;
    let is_automatic = *account == Account::Automatic;
    let task_path = task_path(*account);
    let window = windows::query_window().as_secs();
    let margin = windows::MARGIN.as_secs();
    let newer = match variant.is_for_other_version {
        true => String::new(),
        false => newer_settings(destination),
    };
    format!(
        r#"[accounts.{name}]
base_url = "http://{address}/api/v3"
api_key = "{key}"
seal_keys_file = {seal_keys:?}
url_hosts = ["http://127.0.0.1"]
auto_archive = {is_automatic}
windows = {{ query_window = "{window}s", margin = "{margin}s" }}
limits = {{ queries_per_second = {rate} }}
statuses = {{ delivered = "succeeded" }}
callbacks = {{ token = "{callback_token}" }}
{task_path}
{newer}
"#
    )
}

/// Returns the setting of the path of tasks, if it is not that of the API.
fn task_path(account: Account) -> String {
    let path = match account {
        Account::Called | Account::Automatic => return String::new(),
        Account::Gateway => PATH_IN_QUERY,
        Account::WithoutList => PATH_WITHOUT_LIST,
    };
    format!("task_path = \"{path}\"")
}

/// Returns the settings that version 0.1.0 does not know. Without the pointer, a worker takes a record of that dialect
/// for one that has no URL yet, and polls again: another worker reads it, so that no video is lost.
fn newer_settings(destination: Option<&str>) -> String {
    let destinations: Vec<_> = destination.into_iter().collect();
    format!(
        r#"video_url_pointer = "/clips/0/link"
archive = {{ destinations = {destinations:?} }}
"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The settings of an account that version 0.1.0 knows.
    const KNOWN: [&str; 14] = [
        "preset",
        "base_url",
        "task_path",
        "api_key",
        "api_key_file",
        "api_key_env",
        "seal_keys_file",
        "url_hosts",
        "windows",
        "pace",
        "limits",
        "statuses",
        "auto_archive",
        "callbacks",
    ];

    /// Returns the file of a worker with a change, as if there were only this account.
    fn text(account: Account, change: Option<Change>) -> String {
        let directory = tempfile::tempdir().unwrap();
        let secrets = Secrets::new(account, 7);
        let api = Api {
            secrets: &secrets,
            address: SocketAddr::from(([127, 0, 0, 1], 9)),
        };
        let files = AccountsFile::write(directory.path(), 0, &[api], Some("file:///disk"));
        fs::read_to_string(files.unwrap().path(change)).unwrap()
    }

    /// Returns the names of the settings in the file of a worker with a change.
    fn settings(change: Option<Change>) -> Vec<String> {
        let text = Account::ALL.map(|account| text(account, change)).concat();
        let settings = text.lines().filter_map(|line| line.split_once(" = "));
        settings.map(|(name, _)| name.to_owned()).collect()
    }

    #[test]
    fn one_account_has_ids_in_the_query_and_one_has_no_list() {
        for (account, expected) in [
            (Account::Called, None),
            (Account::Automatic, None),
            (Account::Gateway, Some("tasks?id={task_id}\"")),
            (Account::WithoutList, Some("tasks/{task_id}/.\"")),
        ] {
            let text = text(account, None);
            let path = text.lines().find(|line| line.starts_with("task_path"));
            let ends_so = |end: &str| path.is_some_and(|path| path.ends_with(end));
            assert!(expected.map_or(path.is_none(), ends_so), "{path:?}");
        }
    }

    #[test]
    fn a_worker_with_fewer_accounts_lacks_those_that_most_videos_are_of() {
        let has = |account: Account| !text(account, Some(Change::FewerAccounts)).is_empty();
        assert_eq!(Account::ALL.map(has), [false, false, true, true]);
    }

    #[test]
    fn a_worker_with_the_earlier_seal_key_cannot_unseal_what_others_seal() {
        let directory = tempfile::tempdir().unwrap();
        let secrets = Secrets::new(Account::Called, 7);
        let keys = secrets.write_seal_keys(directory.path()).unwrap();
        let read = |path: &Path| fs::read_to_string(path).unwrap();
        let (all, earlier) = (read(&keys.all), read(&keys.earlier));
        let all: Vec<_> = all.lines().collect();
        assert_eq!(all, [&secrets.seal_key, &secrets.earlier_seal_key]);
        assert_eq!(earlier.lines().collect::<Vec<_>>(), all[1..]);
        for (change, expected) in [
            (None, "/seal-keys-"),
            (Some(Change::EarlierSealKey), "/earlier-"),
        ] {
            let text = text(Account::Called, change);
            assert!(text.contains(expected), "{text}");
        }
        for key in all {
            assert!(secrets.all().contains(&key));
        }
    }

    #[test]
    fn another_version_gets_only_settings_that_0_1_0_knows() {
        let of_other = settings(Some(Change::Version));
        let unknown: Vec<_> = of_other
            .iter()
            .filter(|name| !KNOWN.contains(&name.as_str()))
            .collect();
        assert!(unknown.is_empty(), "{unknown:?}");
        assert!(of_other.contains(&"seal_keys_file".to_owned()));
        let own = settings(None);
        for name in ["video_url_pointer", "archive"] {
            assert!(own.contains(&name.to_owned()), "{name}");
        }
    }
}
