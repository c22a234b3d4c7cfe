//! The accounts file of a worker, and those with which it is restarted.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use anyhow::Context;

use super::{
    plan::{Account, Change},
    windows,
};

/// The secrets of an account.
#[derive(Clone, Debug)]
pub(super) struct Secrets {
    pub(super) account: Account,
    pub(super) key: String,
    /// The key to which the account is rotated. The API accepts both.
    pub(super) other_key: String,
    /// The key that seals URLs, as the steps for replacing an API key demand.
    pub(super) seal_key: String,
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
            callback_token: secret("callback-token"),
        }
    }

    pub(super) fn all(&self) -> [&str; 4] {
        [
            &self.key,
            &self.other_key,
            &self.seal_key,
            &self.callback_token,
        ]
    }

    /// Writes the file with the seal key, unless a worker may already read it, and returns its path.
    fn write_seal_key(&self, directory: &Path) -> anyhow::Result<PathBuf> {
        let path = directory.join(format!("seal-keys-{}", self.account.name()));
        if !path.exists() {
            fs::write(&path, &self.seal_key).context("cannot write a seal key")?;
        }
        Ok(path)
    }

    /// Returns the path to which callbacks of the account are posted.
    pub(super) fn callback_path(&self) -> String {
        format!("/callbacks/{}/{}", self.account.name(), self.callback_token)
    }
}

/// The accounts files of one worker.
#[derive(Clone, Debug)]
pub(super) struct AccountsFile {
    first: PathBuf,
    key: PathBuf,
    rate: PathBuf,
}

/// An account, and where a worker reaches its API.
pub(super) struct Api<'a> {
    pub(super) secrets: &'a Secrets,
    pub(super) address: SocketAddr,
}

const RATE: u32 = 20;
const LOWER_RATE: u32 = 8;

impl AccountsFile {
    /// Writes the files of a worker. `destination` is a further archive.
    pub(super) fn write(
        directory: &Path,
        worker: usize,
        apis: &[Api<'_>],
        destination: Option<&str>,
    ) -> anyhow::Result<Self> {
        let seal_keys = apis.iter().map(|api| api.secrets.write_seal_key(directory));
        let seal_keys = seal_keys.collect::<Result<Vec<_>, _>>()?;
        let write = |name: &str, has_other_key: bool, rate: u32| {
            let path = directory.join(format!("accounts-{worker}-{name}.toml"));
            let accounts = apis.iter().zip(&seal_keys);
            let text: String = accounts
                .map(|(api, seal_keys)| account(api, has_other_key, rate, seal_keys, destination))
                .collect();
            fs::write(&path, text).context("cannot write an accounts file")?;
            anyhow::Ok(path)
        };
        Ok(Self {
            first: write("first", false, RATE)?,
            key: write("key", true, RATE)?,
            rate: write("rate", false, LOWER_RATE)?,
        })
    }

    /// Returns the path of the file of a worker with a change.
    pub(super) fn path(&self, change: Option<Change>) -> &Path {
        match change {
            Some(Change::Key) => &self.key,
            Some(Change::Rate) => &self.rate,
            _ => &self.first,
        }
    }
}

fn account(
    api: &Api<'_>,
    has_other_key: bool,
    rate: u32,
    seal_keys: &Path,
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
    let key = if has_other_key { other_key } else { key };
    let is_automatic = *account == Account::Automatic;
    let window = windows::query_window().as_secs();
    let margin = windows::MARGIN.as_secs();
    let destinations: Vec<_> = destination.into_iter().collect();
    format!(
        r#"[accounts.{name}]
base_url = "http://{address}/api/v3"
api_key = "{key}"
seal_keys_file = {seal_keys:?}
url_hosts = ["http://127.0.0.1"]
video_url_pointer = "/clips/0/link"
auto_archive = {is_automatic}
windows = {{ query_window = "{window}s", margin = "{margin}s" }}
limits = {{ queries_per_second = {rate} }}
statuses = {{ delivered = "succeeded" }}
callbacks = {{ token = "{callback_token}" }}
archive = {{ destinations = {destinations:?} }}

"#
    )
}
