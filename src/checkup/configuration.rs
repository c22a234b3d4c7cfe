//! Checks the configuration, and the permissions of the files that contain secrets.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use super::CheckResult;
use crate::config::{ConfigError, LoadedConfig, Secret, Source};

const NAME: &str = "configuration";

/// Permissions of users who are neither the owner nor in the group.
const OTHERS: u32 = 0o007;

/// Returns a failed check for each error of the configuration, or one result if it is valid.
pub fn check(config: &LoadedConfig) -> Vec<CheckResult> {
    if !config.errors.is_empty() {
        return config.errors.iter().map(error).collect();
    }
    let accounts = config.accounts.iter();
    let names: Vec<_> = accounts
        .map(|account| format!("`{}`", account.name()))
        .collect();
    let found = format!("valid; accounts: {}", names.join(", "));
    vec![CheckResult::ok(NAME, found)]
}

fn error(error: &ConfigError) -> CheckResult {
    let fix = match &error.source {
        Source::Variable(name) => format!("correct {name} in the environment of the worker"),
        source => format!("correct {source}"),
    };
    let fix = format!("{fix}; `seedance-archiver config show` lists every setting and its source");
    CheckResult::failed(NAME, error.to_string(), fix)
}

/// Checks that each file with secrets is readable, but not by every user.
pub fn check_files(config: &LoadedConfig) -> Vec<CheckResult> {
    let files = files(config).into_iter();
    files.map(|(path, content)| file(&path, &content)).collect()
}

/// Returns the files with secrets, each with what it contains.
fn files(config: &LoadedConfig) -> BTreeMap<PathBuf, String> {
    let mut files = BTreeMap::new();
    for account in config.accounts.iter() {
        let mut add = |path: &Path, content: &str| {
            let content = format!("{content} of `{}`", account.name());
            files.insert(path.to_owned(), content);
        };
        if let Secret::File(path) = &account.endpoint.api_key {
            add(path, "API key");
        }
        if let Some(path) = &account.endpoint.seal_keys_file {
            add(path, "seal keys");
        }
        let token = account.callbacks.as_ref().map(|callbacks| &callbacks.token);
        if let Some(Secret::File(path)) = token {
            add(path, "callback token");
        }
        if let Some(webhook) = &account.webhook {
            if let Secret::File(path) = &webhook.url {
                add(path, "URL of the webhook");
            }
            if let Secret::File(path) = &webhook.keys {
                add(path, "keys of the webhook");
            }
        }
    }
    if let Some(path) = config.accounts_file_with_secrets() {
        files.insert(path.to_owned(), "accounts with secrets".to_owned());
    }
    files
}

fn file(path: &Path, content: &str) -> CheckResult {
    let name = format!("file {}", path.display());
    let mode = match fs::read(path).and_then(|_| fs::metadata(path)) {
        Ok(metadata) => metadata.permissions().mode(),
        Err(error) => {
            let fix = "create the file, readable for the user that runs the worker";
            return CheckResult::failed(name, format!("{content}: cannot be read: {error}"), fix);
        }
    };
    if mode & OTHERS == 0 {
        return CheckResult::ok(name, format!("{content}: readable"));
    }
    let found = format!(
        "{content}: accessible to every user of this machine (mode {:o})",
        mode & 0o777
    );
    CheckResult::warning(name, found, format!("chmod o= {}", path.display()))
}
