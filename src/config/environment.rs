//! Configuration from the environment: pure, so that tests need not change the process's own.

use reqwest::Url;
use seedance_archiver_proto::names;

use super::{Account, Accounts, ApiKey, Config};

const API_KEY: &str = "SEEDANCE_API_KEY";
const API_KEY_FILE: &str = "SEEDANCE_API_KEY_FILE";
const BASE_URL: &str = "SEEDANCE_BASE_URL";
const ARCHIVE_URL: &str = "SEEDANCE_ARCHIVE_URL";
const TASK_QUEUE: &str = "TEMPORAL_TASK_QUEUE";

const DEFAULT_BASE_URL: &str = "https://ark.ap-southeast.bytepluses.com/api/v3";

/// Everything that is wrong with the configuration.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("the configuration has {} fault{}:{}", .0.len(), if .0.len() == 1 { "" } else { "s" }, list(.0))]
pub struct InvalidConfig(pub Vec<String>);

fn list(faults: &[String]) -> String {
    faults
        .iter()
        .map(|fault| format!("\n  - {fault}"))
        .collect()
}

impl Config {
    /// Reads the configuration from `variable`, which looks a variable up. An empty variable counts
    /// as absent. `default_archive` is used where no archive is named.
    pub fn from_environment(
        variable: impl Fn(&str) -> Option<String>,
        default_archive: Option<Url>,
    ) -> Result<Self, InvalidConfig> {
        let variable = |name: &str| variable(name).filter(|value| !value.trim().is_empty());
        let mut faults = Vec::new();

        let api_key = match (variable(API_KEY), variable(API_KEY_FILE)) {
            (Some(key), None) => Some(ApiKey::Value(key.trim().to_owned().into())),
            (None, Some(path)) => key_file(&path).map_err(|fault| faults.push(fault)).ok(),
            (Some(_), Some(_)) => {
                faults.push(format!(
                    "{API_KEY} and {API_KEY_FILE} are both set: keep one"
                ));
                None
            }
            (None, None) => {
                faults.push(format!(
                    "{API_KEY} is not set: give it the API key of your account, or {API_KEY_FILE} \
                     the path of a file that holds it"
                ));
                None
            }
        };
        let base_url = variable(BASE_URL).unwrap_or_else(|| DEFAULT_BASE_URL.into());
        let base_url = http_url(&base_url).map_err(|fault| faults.push(fault)).ok();
        let archive_url = match (variable(ARCHIVE_URL), default_archive) {
            (Some(url), _) => archive_url(&url).map_err(|fault| faults.push(fault)).ok(),
            (None, Some(url)) => Some(url),
            (None, None) => {
                faults.push(format!(
                    "{ARCHIVE_URL} is not set: say where videos go, e.g. `s3://bucket/prefix` or \
                     `file:///srv/videos`"
                ));
                None
            }
        };

        match (api_key, base_url, archive_url) {
            (Some(api_key), Some(base_url), Some(archive_url)) => Ok(Self {
                accounts: Accounts::from_iter([Account::new(
                    names::DEFAULT_ACCOUNT,
                    base_url,
                    api_key,
                )]),
                archive_url,
                task_queue: task_queue(variable),
            }),
            _ => Err(InvalidConfig(faults)),
        }
    }
}

/// The task queue of workflows and questions.
pub fn task_queue(variable: impl Fn(&str) -> Option<String>) -> String {
    let name = variable(TASK_QUEUE).map(|name| name.trim().to_owned());
    name.filter(|name| !name.is_empty())
        .unwrap_or_else(|| names::TASK_QUEUE.to_owned())
}

/// A file that is not there at start is a mistake; later it may be on its way.
fn key_file(path: &str) -> Result<ApiKey, String> {
    let key = ApiKey::File(path.into());
    match key.read() {
        Ok(_) => Ok(key),
        Err(error) => Err(format!("{API_KEY_FILE}: {error}")),
    }
}

fn http_url(text: &str) -> Result<Url, String> {
    let example = format!("give a URL such as `{DEFAULT_BASE_URL}`");
    match Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "https" | "http") && url.has_host() => Ok(url),
        Ok(url) => Err(format!(
            "{BASE_URL} has the scheme `{}`: {example}",
            url.scheme()
        )),
        Err(error) => Err(format!("{BASE_URL} is not a URL ({error}): {example}")),
    }
}

fn archive_url(text: &str) -> Result<Url, String> {
    let example = "give a URL such as `s3://bucket/prefix` or `file:///srv/videos`";
    let url = Url::parse(text)
        .map_err(|error| format!("{ARCHIVE_URL} is not a URL ({error}): {example}"))?;
    let fault = match url.scheme() {
        _ if url.query().is_some() || url.fragment().is_some() => "has more than a path",
        "s3" if url.has_host() => return Ok(url),
        "s3" => "names no bucket",
        "file" if url.path() != "/" && url.to_file_path().is_ok() => return Ok(url),
        "file" => "names no directory of this machine",
        _ => "is of a store that is not known",
    };
    Err(format!("{ARCHIVE_URL} {fault}: {example}"))
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert_eq!(account.base_url.as_str(), DEFAULT_BASE_URL);
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
    fn does_not_print_the_key() {
        let config = read(&[(API_KEY, "very-secret"), (ARCHIVE_URL, "s3://b")]).unwrap();
        assert!(!format!("{config:?}").contains("very-secret"));
    }
}
