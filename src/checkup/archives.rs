//! The archive, as each account uses it: whether it can be written, and never over what is there.

use std::time::Duration;

use futures::future::join_all;
use rustix::fs::statvfs;

use super::Finding;
use crate::{
    archive::{Archive, ObjectOptions, OpenArchiveError, ProbeError},
    config::Reading,
};

/// Longest time for one archive: stores are tried again by themselves for minutes.
const PROBE_TIME: Duration = Duration::from_secs(30);
/// Least room on a disk that is not worth a warning.
const ROOM: u64 = 5 << 30;

/// Tries the archive with each account's own options. Without accounts, with none.
pub async fn check(reading: &Reading) -> Vec<Finding> {
    let Some(url) = &reading.archive_url else {
        return vec![Finding::failed(
            "archive",
            "there is no archive URL that can be used",
            "set SEEDANCE_ARCHIVE_URL",
        )];
    };
    let mut ways: Vec<(String, ObjectOptions)> = Vec::new();
    for account in reading.accounts.iter() {
        let options = account.archive.objects.clone();
        match ways.iter_mut().find(|(_, known)| *known == options) {
            Some((names, _)) => *names += &format!(", `{}`", account.name()),
            None => ways.push((format!(" of `{}`", account.name()), options)),
        }
    }
    if ways.is_empty() {
        ways.push((String::new(), ObjectOptions::default()));
    }
    // All at once: whoever starts a worker waits for it.
    let checks = ways.into_iter().map(async |(whose, options)| {
        let name = format!("archive {url}{whose}");
        match Archive::open_with(url, options) {
            Ok(archive) => {
                let probed = probe(name, &archive).await;
                [Some(probed), room(&archive)]
            }
            Err(error) => [Some(cannot_open(name, &error)), None],
        }
    });
    let findings = join_all(checks).await;
    findings.into_iter().flatten().flatten().collect()
}

async fn probe(name: String, archive: &Archive) -> Finding {
    match tokio::time::timeout(PROBE_TIME, archive.probe()).await {
        Ok(Ok(())) => Finding::ok(name, "can be written, and not over what is there"),
        Ok(Err(fault)) => {
            let fix = fix(&fault);
            Finding::failed(name, fault.to_string(), fix)
        }
        Err(_) => Finding::failed(
            name,
            format!("does not answer within {} s", PROBE_TIME.as_secs()),
            "let this machine reach the store, and look at its endpoint (AWS_ENDPOINT, …)",
        ),
    }
}

fn fix(fault: &ProbeError) -> &'static str {
    use object_store::Error::{NotFound, PermissionDenied, Unauthenticated};
    match fault {
        ProbeError::Overwrites => {
            "use a store that knows `If-None-Match: *` on a put: on others a video could be replaced"
        }
        ProbeError::Write(NotFound { .. }) => {
            "create the bucket or container, or correct SEEDANCE_ARCHIVE_URL"
        }
        ProbeError::Write(Unauthenticated { .. } | PermissionDenied { .. }) => {
            "give the worker the store's keys or a role that may write: docs/stores.md, \"Permissions\""
        }
        ProbeError::Delete(_) => {
            "let the worker delete under `.staging/`, or remove the probe by hand: docs/stores.md, \
             \"Permissions\""
        }
        _ => "see that the bucket or directory is there and that the worker may read and write it",
    }
}

fn cannot_open(name: String, error: &OpenArchiveError) -> Finding {
    let fix = match error {
        OpenArchiveError::Directory { .. } => {
            "make the directory, writable for the user that the worker runs as"
        }
        OpenArchiveError::Option { .. } => "take the option from the accounts file",
        _ => "correct SEEDANCE_ARCHIVE_URL and the store's own variables: docs/stores.md",
    };
    Finding::failed(name, error.to_string(), fix)
}

/// What is left of a local archive's disk.
fn room(archive: &Archive) -> Option<Finding> {
    let directory = archive.directory()?;
    let disk = statvfs(&directory).ok()?;
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    let name = format!("disk of {}", directory.display());
    let found = format!("{} free", indicatif::HumanBytes(free));
    Some(match free {
        ROOM.. => Finding::ok(name, found),
        _ => Finding::warning(name, found, "make room, or archive elsewhere"),
    })
}
