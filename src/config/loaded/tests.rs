mod archives;
mod keys;
mod network;
mod notifications;
mod values;
mod worker;

use std::time::Duration;

use super::*;
use crate::config::preset;

const ARCHIVE: (&str, &str) = ("SEEDANCE_ARCHIVE_URL", "s3://bucket/videos");
const KEY: (&str, &str) = ("SEEDANCE_API_KEY", "key\n");

fn variable(variables: &[(&str, &str)], name: &str) -> Option<String> {
    let (_, value) = variables.iter().find(|(key, _)| *key == name)?;
    Some((*value).to_owned())
}

fn load(variables: &[(&str, &str)]) -> Result<Config, InvalidConfig> {
    Config::from_environment(|name| variable(variables, name), None)
}

fn errors(variables: &[(&str, &str)]) -> Vec<String> {
    load(variables).map(|_| ()).unwrap_err().0
}

#[test]
fn an_api_key_and_an_archive_are_enough() {
    let config = load(&[KEY, ARCHIVE]).unwrap();
    assert_eq!(config.archive_url.as_str(), "s3://bucket/videos");
    assert_eq!(config.task_queue, "seedance-archiver");
    assert_eq!(config.worker, WorkerSettings::default());
    let account = config.accounts.get("").unwrap();
    assert_eq!(account.endpoint.base_url.as_str(), preset::DEFAULT.base_url);
    let day = Duration::from_secs(24 * 60 * 60);
    assert_eq!(account.windows.url_lifetime, day);
    assert_eq!(account.url_hosts.to_string(), "bytepluses.com, volces.com");
}

#[test]
fn all_errors_are_reported_together() {
    let base_url = ("SEEDANCE_BASE_URL", "ftp://host");
    let archive_url = ("SEEDANCE_ARCHIVE_URL", "./videos");
    let error = load(&[base_url, archive_url]).unwrap_err();
    let mut variables = error.0.iter().map(|error| error.split(' ').next().unwrap());
    for variable in [
        "SEEDANCE_BASE_URL",
        "SEEDANCE_API_KEY",
        "SEEDANCE_ARCHIVE_URL",
    ] {
        assert_eq!(variables.next(), Some(variable));
    }
    assert_eq!(variables.next(), None);
    assert!(
        error
            .to_string()
            .starts_with("the configuration has 3 errors:\n  - SEEDANCE")
    );
    let empty = errors(&[("SEEDANCE_API_KEY", " "), ("SEEDANCE_ARCHIVE_URL", "")]);
    assert_eq!(empty.len(), 2, "{empty:?}");
}

#[test]
fn the_accounts_of_a_file_are_added_to_that_of_the_environment() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let path = file.path().to_str().unwrap();
    let names = |variables: &[(&str, &str)]| {
        let accounts = load(variables).map(|config| config.accounts)?;
        let names = accounts.iter().map(|account| account.name().to_owned());
        Ok::<_, InvalidConfig>(names.collect::<Vec<_>>())
    };
    let only_file = [("SEEDANCE_ACCOUNTS_FILE", path), ARCHIVE];
    let both = [("SEEDANCE_ACCOUNTS_FILE", path), KEY, ARCHIVE];

    let account = "preset = \"byteplus\"\napi_key = \"key\"\n";
    std::fs::write(path, format!("[accounts.eu]\n{account}")).unwrap();
    assert_eq!(names(&only_file).unwrap(), ["eu"]);
    assert_eq!(names(&both).unwrap(), ["default", "eu"]);

    std::fs::write(path, format!("[accounts.default]\n{account}")).unwrap();
    assert_eq!(names(&only_file).unwrap(), ["default"]);
    let error = names(&both).unwrap_err().0.remove(0);
    assert!(error.starts_with("SEEDANCE_API_KEY is set, but"), "{error}");
    assert!(error.ends_with("remove one of them"), "{error}");

    std::fs::write(path, "").unwrap();
    let error = names(&only_file).unwrap_err().0.remove(0);
    let start = format!("{path}:1: accounts must be");
    assert!(error.starts_with(&start), "{error}");
    let missing = errors(&[("SEEDANCE_ACCOUNTS_FILE", "/nowhere"), ARCHIVE]);
    assert!(missing[0].contains("`/nowhere`, which cannot be read"));
}

#[test]
fn a_command_reads_only_the_settings_that_it_needs() {
    let invalid = [("SEEDANCE_QUEUES", "queries"), ("SEEDANCE_BASE_URL", "x")];
    let lookup = |name: &str| variable(&[ARCHIVE], name).or(variable(&invalid, name));
    assert_eq!(archive_url(lookup).unwrap().as_str(), ARCHIVE.1);
    assert_eq!(admin_address(lookup), Ok(None));
    assert_eq!(task_queue(lookup).unwrap(), "seedance-archiver");
    let quoted = |name: &str| variable(&[("TEMPORAL_TASK_QUEUE", "\u{201c}videos\u{201d}")], name);
    let error = task_queue(quoted).unwrap_err().0.remove(0);
    assert!(error.starts_with("TEMPORAL_TASK_QUEUE"), "{error}");
    assert_eq!(accounts(lookup).unwrap_err().0.len(), 2);
    let error = archive_url(|_| None).unwrap_err().0.remove(0);
    assert!(
        error.starts_with("SEEDANCE_ARCHIVE_URL is not set"),
        "{error}"
    );
}
