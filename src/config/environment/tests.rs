use super::*;
use crate::config::{Config, InvalidConfig};

fn read(variables: &[(&str, &str)]) -> Result<Config, InvalidConfig> {
    let find = |name: &str| {
        variables
            .iter()
            .find(|(key, _)| *key == name)
            .map(|(_, value)| value.to_string())
    };
    Config::from_environment(find, None)
}

#[test]
fn needs_a_key_and_an_archive_only() {
    let config = read(&[(API_KEY, "key\n"), (ARCHIVE_URL, "s3://bucket/videos")]).unwrap();
    assert_eq!(config.archive_url.as_str(), "s3://bucket/videos");
    assert_eq!(config.task_queue, "seedance-archiver");
    let account = config.accounts.get("").unwrap();
    assert_eq!(account.endpoint.base_url.as_str(), preset::DEFAULT.base_url);
}

#[test]
fn tells_all_faults_at_once() {
    let error = read(&[(BASE_URL, "ftp://host"), (ARCHIVE_URL, "./videos")]).unwrap_err();
    let faults = error.0.iter().map(|fault| fault.split(' ').next().unwrap());
    assert_eq!(faults.collect::<Vec<_>>(), [API_KEY, BASE_URL, ARCHIVE_URL]);
    assert!(
        error
            .to_string()
            .starts_with("the configuration has 3 faults:\n  - SEEDANCE")
    );
    assert!(
        read(&[(API_KEY, " "), (ARCHIVE_URL, "")])
            .unwrap_err()
            .0
            .len()
            == 2
    );
}

#[test]
fn refuses_an_archive_that_nothing_can_be_written_to() {
    let fault = |url| {
        let config = read(&[(API_KEY, "key"), (ARCHIVE_URL, url)]);
        config.map(|_| ()).unwrap_err().0.remove(0)
    };
    assert!(fault("http://host/videos").contains("store that is not known"));
    assert!(fault("s3://").contains("no bucket"));
    assert!(fault("s3://bucket/a?version=1").contains("more than a path"));
    assert!(fault("file://").contains("no directory"));
    assert!(fault("file://host/videos").contains("no directory"));
}

#[test]
fn takes_the_key_from_a_file() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let path = file.path().to_str().unwrap();
    let config = || read(&[(API_KEY_FILE, path), (ARCHIVE_URL, "s3://bucket")]);
    assert!(config().unwrap_err().0[0].ends_with("is empty"));
    std::fs::write(path, "key\n").unwrap();
    assert!(config().is_ok());
    let both = read(&[
        (API_KEY, "key"),
        (API_KEY_FILE, path),
        (ARCHIVE_URL, "s3://b"),
    ]);
    assert!(both.unwrap_err().0[0].ends_with("keep one"));
}

#[test]
fn every_video_is_archived_where_the_environment_says_so() {
    let of = |flag| {
        let config = read(&[
            (API_KEY, "key"),
            (AUTO_ARCHIVE, flag),
            (ARCHIVE_URL, "s3://b"),
        ]);
        config.map(|config| config.accounts.get("").unwrap().auto_archive)
    };
    assert!(of("true").unwrap());
    assert!(!of("").unwrap());
    assert!(of("yes").unwrap_err().0[0].ends_with("must be true or false"));
}

#[test]
fn does_not_print_the_key() {
    let config = read(&[(API_KEY, "very-secret"), (ARCHIVE_URL, "s3://b")]).unwrap();
    assert!(!format!("{config:?}").contains("very-secret"));
}

#[test]
fn adds_the_accounts_of_a_file() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let path = file.path().to_str().unwrap();
    let archive = (ARCHIVE_URL, "s3://b");
    let names = |variables: &[(&str, &str)]| {
        let accounts = read(variables).map(|config| config.accounts)?;
        let names = accounts.iter().map(|account| account.name().to_owned());
        Ok::<_, InvalidConfig>(names.collect::<Vec<_>>())
    };
    let only_file = [(ACCOUNTS_FILE, path), archive];
    let both = [(ACCOUNTS_FILE, path), (API_KEY, "key"), archive];

    let account = "preset = \"byteplus\"\napi_key = \"key\"\n";
    std::fs::write(path, format!("[accounts.eu]\n{account}")).unwrap();
    assert_eq!(names(&only_file).unwrap(), ["eu"]);
    assert_eq!(names(&both).unwrap(), ["default", "eu"]);

    std::fs::write(path, format!("[accounts.default]\n{account}")).unwrap();
    assert_eq!(names(&only_file).unwrap(), ["default"]);
    assert!(names(&both).unwrap_err().0[0].ends_with("keep one"));

    std::fs::write(path, "").unwrap();
    let fault = names(&only_file).unwrap_err().0.remove(0);
    assert!(
        fault.starts_with(&format!("{path}:1: accounts must be")),
        "{fault}"
    );
    let missing = names(&[(ACCOUNTS_FILE, "/nowhere"), archive]).unwrap_err();
    assert!(missing.0[0].contains("/nowhere, which cannot be read"));
}
