//! What was read from the environment and its files, and who else can read those.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use super::Finding;
use crate::config::{Fault, Reading, Secret, Source};

const NAME: &str = "configuration";

/// Whoever is neither the owner nor of the group.
const OTHERS: u32 = 0o007;

/// Each fault of the configuration; where there is none, what there is.
pub fn check(reading: &Reading) -> Vec<Finding> {
    if reading.faults.is_empty() {
        let names = reading.accounts.iter().map(|it| format!("`{}`", it.name()));
        let names: Vec<_> = names.collect();
        let found = format!(
            "is whole, with the account{} {}",
            if names.len() == 1 { "" } else { "s" },
            names.join(", ")
        );
        return vec![Finding::ok(NAME, found)];
    }
    reading.faults.iter().map(fault).collect()
}

fn fault(fault: &Fault) -> Finding {
    let fix = match &fault.source {
        Source::Variable(name) => format!("set {name} right where the worker is started"),
        source => format!("correct {source}"),
    };
    let show = "`seedance-archiver config show` tells what is read from where";
    Finding::failed(NAME, fault.to_string(), format!("{fix}; {show}"))
}

/// Each file with secrets: whether it can be read, and whether by anybody.
pub fn check_files(reading: &Reading) -> Vec<Finding> {
    let files = files(reading).into_iter();
    files.map(|(path, what)| file(&path, &what)).collect()
}

fn files(reading: &Reading) -> BTreeMap<PathBuf, String> {
    let mut files = BTreeMap::new();
    for account in reading.accounts.iter() {
        let mut add = |path: &Path, what: &str| {
            let what = format!("{what} of `{}`", account.name());
            files.insert(path.to_owned(), what);
        };
        if let Secret::File(path) = &account.endpoint.api_key {
            add(path, "API key");
        }
        if let Some(path) = &account.seal_keys_file {
            add(path, "seal keys");
        }
        let token = account.callbacks.as_ref().map(|callbacks| &callbacks.token);
        if let Some(Secret::File(path)) = token {
            add(path, "callback token");
        }
    }
    if let Some(path) = reading.file_with_secrets() {
        files.insert(path.to_owned(), "accounts with their keys".to_owned());
    }
    files
}

fn file(path: &Path, what: &str) -> Finding {
    let name = format!("file {}", path.display());
    let mode = match fs::read(path).and_then(|_| fs::metadata(path)) {
        Ok(metadata) => metadata.permissions().mode(),
        Err(error) => {
            let fix = "put it there, readable for the user that the worker runs as";
            return Finding::failed(name, format!("{what}: cannot be read: {error}"), fix);
        }
    };
    if mode & OTHERS == 0 {
        return Finding::ok(name, format!("{what}: readable"));
    }
    let found = format!(
        "{what}: anybody on this machine can read it ({:o})",
        mode & 0o777
    );
    Finding::warning(name, found, format!("chmod o= {}", path.display()))
}
