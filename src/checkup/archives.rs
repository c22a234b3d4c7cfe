//! Checks the archive, as each account uses it, by the requests of a transfer, of `verify` and of `clean`: above all
//! that the store does not overwrite an existing object.

use futures::future::join_all;
use reqwest::Url;
use rustix::fs::statvfs;

use super::{CheckResult, archive_fixes};
use crate::{
    archive::{Archive, ObjectOptions, OpenArchiveError, ProbeError},
    config::LoadedConfig,
};

/// Free space of a disk, in bytes, below which there is a warning.
const MIN_FREE_SPACE: u64 = 5 << 30;

/// Checks the archive with the options of each account, or with none if there are no accounts, and the destinations
/// that accounts allow.
pub async fn check(config: &LoadedConfig) -> Vec<CheckResult> {
    let Some(url) = &config.archive_url else {
        return vec![CheckResult::failed(
            "archive",
            "no valid archive URL",
            "set SEEDANCE_ARCHIVE_URL",
        )];
    };
    let own = options_in_use(config).into_iter();
    let own = own.map(|(accounts, options)| Checked {
        name: format!("archive {url}{accounts}"),
        setting: "SEEDANCE_ARCHIVE_URL".to_owned(),
        url,
        options,
    });
    // Concurrently, because the start of a worker waits for the checks.
    let checks = own.chain(destinations(config)).map(check_archive);
    join_all(checks).await.into_iter().flatten().collect()
}

/// An archive that is checked.
struct Checked<'a> {
    name: String,
    /// The setting with the URL.
    setting: String,
    url: &'a Url,
    options: ObjectOptions,
}

/// Returns the destinations that each account allows, with the options of the account.
fn destinations(config: &LoadedConfig) -> impl Iterator<Item = Checked<'_>> {
    config.accounts.iter().flat_map(|account| {
        account.archive.destinations.iter().map(|url| Checked {
            name: format!("destination {url} of `{}`", account.name()),
            setting: format!(
                "`archive.destinations` (SEEDANCE_DESTINATIONS) of the account `{}`",
                account.name()
            ),
            url,
            options: account.archive.objects.clone(),
        })
    })
}

async fn check_archive(checked: Checked<'_>) -> Vec<CheckResult> {
    let Checked {
        name,
        setting,
        url,
        options,
    } = checked;
    let tier = archive_tier(&name, &options);
    match Archive::open_with(url, options) {
        Ok(archive) => {
            let mut results = probe(&name, &setting, &archive).await;
            results.extend(tier);
            results.extend(free_space(&archive));
            results
        }
        Err(error) => vec![cannot_open(name, &setting, &error)],
    }
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

/// Returns a result for each problem, and one that the archive works if nothing blocks it.
async fn probe(name: &str, setting: &str, archive: &Archive) -> Vec<CheckResult> {
    let report = archive.probe().await;
    let problems = report.problems.iter();
    let mut results: Vec<_> = problems
        .map(|problem| {
            let fix = archive_fixes::fix(problem, archive, setting);
            let found = match problem {
                ProbeError::Delete(_) => format!("{problem}; left: {}", report.left.join(", ")),
                problem => problem.to_string(),
            };
            match problem.blocks_archiving() {
                true => CheckResult::failed(name, found, fix),
                false => CheckResult::warning(name, found, fix),
            }
        })
        .collect();
    if report.blocking().next().is_none() {
        let works = "writable, and existing objects are not overwritten";
        results.insert(0, CheckResult::ok(name, works));
    }
    results
}

/// Storage classes whose objects cannot be read until they are restored.
const ARCHIVE_TIERS: [&str; 2] = ["GLACIER", "DEEP_ARCHIVE"];

/// Warns if videos go directly to an archive tier.
fn archive_tier(name: &str, options: &ObjectOptions) -> Option<CheckResult> {
    let class = options.storage_class.as_deref()?;
    let is_tier = ARCHIVE_TIERS
        .iter()
        .any(|tier| class.eq_ignore_ascii_case(tier));
    is_tier.then(|| {
        CheckResult::warning(
            name,
            format!(
                "videos are stored with the class `{class}` and cannot be read until they are restored: not by \
                 `verify --deep` or the links of `gallery`, nor by an attempt that finds the video of an earlier one"
            ),
            "use `GLACIER_IR`, or let a lifecycle rule of the bucket move objects to an archive tier after a few days",
        )
    })
}

/// Returns the result of an archive that cannot be opened. `setting` is the one with its URL.
fn cannot_open(name: String, setting: &str, error: &OpenArchiveError) -> CheckResult {
    let fix = match error {
        OpenArchiveError::Directory { .. } => {
            "create the directory, writable for the user that runs the worker".to_owned()
        }
        OpenArchiveError::Reserved { .. } => {
            format!("use a prefix without `.staging` in {setting} and in `archive.prefix`")
        }
        OpenArchiveError::Option { .. } => "remove the option from the accounts file".to_owned(),
        OpenArchiveError::EndpointOfBucket { .. } => {
            "set AWS_ENDPOINT without a bucket, and AWS_VIRTUAL_HOSTED_STYLE_REQUEST=false"
                .to_owned()
        }
        _ => format!("correct {setting} and the store's own variables; see docs/stores.md"),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fix_of_an_invalid_archive_names_its_setting() {
        let error = OpenArchiveError::Unsupported("ftp://videos".to_owned());
        for setting in ["SEEDANCE_ARCHIVE_URL", "`archive.destinations`"] {
            let result = cannot_open("archive".to_owned(), setting, &error);
            let expected = format!("correct {setting} and ");
            assert!(result.fix.unwrap().starts_with(&expected), "{setting}");
        }
    }

    #[test]
    fn an_archive_tier_is_a_warning() {
        let check = |class: &str| {
            let options = ObjectOptions {
                storage_class: Some(class.to_owned()),
                ..ObjectOptions::default()
            };
            archive_tier("archive", &options).map(|result| result.found)
        };
        for class in ["GLACIER", "DEEP_ARCHIVE"] {
            let found = check(class);
            assert!(found.is_some_and(|found| found.contains(class)), "{class}");
        }
        for class in ["STANDARD_IA", "GLACIER_IR"] {
            assert_eq!(check(class), None);
        }
        assert_eq!(archive_tier("archive", &ObjectOptions::default()), None);
    }
}
