//! Checks the archive, as each account uses it: that objects can be created, read and deleted, and that the store
//! does not overwrite an existing object.

use std::time::Duration;

use futures::future::join_all;
use rustix::fs::statvfs;

use super::CheckResult;
use crate::{
    archive::{Archive, ObjectOptions, OpenArchiveError, ProbeError},
    config::LoadedConfig,
};

/// Timeout of the probe of one archive. The client of a store retries for minutes.
const PROBE_TIMEOUT: Duration = Duration::from_secs(30);
/// Free space of a disk, in bytes, below which there is a warning.
const MIN_FREE_SPACE: u64 = 5 << 30;

/// Checks the archive with the options of each account, or with none if there are no accounts.
pub async fn check(config: &LoadedConfig) -> Vec<CheckResult> {
    let Some(url) = &config.archive_url else {
        return vec![CheckResult::failed(
            "archive",
            "no valid archive URL",
            "set SEEDANCE_ARCHIVE_URL",
        )];
    };
    // Concurrently, because the start of a worker waits for the checks.
    let checks = options_in_use(config)
        .into_iter()
        .map(async |(accounts, options)| {
            let name = format!("archive {url}{accounts}");
            match Archive::open_with(url, options) {
                Ok(archive) => {
                    let probed = probe(name, &archive).await;
                    [Some(probed), free_space(&archive)]
                }
                Err(error) => [Some(cannot_open(name, &error)), None],
            }
        });
    let findings = join_all(checks).await;
    findings.into_iter().flatten().flatten().collect()
}

/// Returns each set of options once, with the accounts that use it, e.g. ` of `a`, `b``.
fn options_in_use(config: &LoadedConfig) -> Vec<(String, ObjectOptions)> {
    let mut in_use: Vec<(String, ObjectOptions)> = Vec::new();
    for account in config.accounts.iter() {
        let options = account.archive.objects.clone();
        match in_use.iter_mut().find(|(_, known)| *known == options) {
            Some((accounts, _)) => *accounts += &format!(", `{}`", account.name()),
            None => in_use.push((format!(" of `{}`", account.name()), options)),
        }
    }
    if in_use.is_empty() {
        in_use.push((String::new(), ObjectOptions::default()));
    }
    in_use
}

async fn probe(name: String, archive: &Archive) -> CheckResult {
    match tokio::time::timeout(PROBE_TIMEOUT, archive.probe()).await {
        Ok(Ok(())) => CheckResult::ok(name, "writable, and existing objects are not overwritten"),
        Ok(Err(error)) => {
            let fix = fix(&error);
            CheckResult::failed(name, error.to_string(), fix)
        }
        Err(_) => CheckResult::failed(
            name,
            format!("no response within {} s", PROBE_TIMEOUT.as_secs()),
            "check that this machine can reach the store, and the endpoint of the store (AWS_ENDPOINT, …)",
        ),
    }
}

fn fix(error: &ProbeError) -> &'static str {
    use object_store::Error::{NotFound, PermissionDenied, Unauthenticated};
    match error {
        ProbeError::Overwrites | ProbeError::ConditionalPut(_) => {
            "use a store that supports `If-None-Match: *` on a put; on others a video could be overwritten"
        }
        ProbeError::Write(NotFound { .. }) => {
            "create the bucket or container, or correct SEEDANCE_ARCHIVE_URL"
        }
        ProbeError::Write(Unauthenticated { .. } | PermissionDenied { .. }) => {
            "give the worker the store's keys or a role that may write; see \"Permissions\" in \
             docs/stores.md"
        }
        ProbeError::Delete(_) => {
            "allow the worker to delete under `.staging/`, or delete the probe yourself; see \
             \"Permissions\" in docs/stores.md"
        }
        _ => "check that the bucket or directory exists and that the worker may read and write it",
    }
}

fn cannot_open(name: String, error: &OpenArchiveError) -> CheckResult {
    let fix = match error {
        OpenArchiveError::Directory { .. } => {
            "create the directory, writable for the user that runs the worker"
        }
        OpenArchiveError::Option { .. } => "remove the option from the accounts file",
        _ => "correct SEEDANCE_ARCHIVE_URL and the store's own variables; see docs/stores.md",
    };
    CheckResult::failed(name, error.to_string(), fix)
}

/// Checks the free space on the disk of a local archive.
fn free_space(archive: &Archive) -> Option<CheckResult> {
    let directory = archive.directory()?;
    let disk = statvfs(&directory).ok()?;
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    let name = format!("disk of {}", directory.display());
    let found = format!("{} free", indicatif::HumanBytes(free));
    Some(match free {
        MIN_FREE_SPACE.. => CheckResult::ok(name, found),
        _ => CheckResult::warning(name, found, "free up space, or use another archive"),
    })
}
