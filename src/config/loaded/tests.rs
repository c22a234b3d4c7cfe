use std::time::Duration;

use super::*;
use crate::config::{Versioning, preset};

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

/// Loads a valid account and archive beside these variables.
fn load_worker(variables: &[(&str, &str)]) -> (WorkerSettings, Vec<String>) {
    let lookup = |name: &str| variable(&[KEY, ARCHIVE], name).or(variable(variables, name));
    let loaded = LoadedConfig::load(lookup, None);
    let errors = loaded.errors.iter().map(ToString::to_string);
    (loaded.worker, errors.collect())
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
fn an_archive_url_names_a_writable_destination() {
    let error = |url| errors(&[KEY, ("SEEDANCE_ARCHIVE_URL", url)]).remove(0);
    assert!(error("http://host/videos").contains("has an unsupported scheme"));
    assert!(error("s3://").contains("has no bucket"));
    assert!(error("s3://bucket/a?version=1").contains("has a query"));
    assert!(error("s3://user:password@bucket").contains("a user name or a password"));
    assert!(error("file://").contains("has no local directory"));
    assert!(error("file://host/videos").contains("has no local directory"));
}

#[test]
fn an_archive_is_not_under_the_staged_objects_of_another() {
    for url in [
        "s3://bucket/.staging",
        "gs://bucket/team/.staging/",
        "az://container/%2Estaging/videos",
        "s3://bucket/team%2F.staging",
        "file:///srv/.Staging/videos",
    ] {
        let error = errors(&[KEY, ("SEEDANCE_ARCHIVE_URL", url)]).remove(0);
        assert!(
            error.starts_with("SEEDANCE_ARCHIVE_URL cannot be used: "),
            "{error}"
        );
        assert!(error.contains("`.staging` is reserved"), "{error}");
    }
    assert!(load(&[KEY, ("SEEDANCE_ARCHIVE_URL", "s3://bucket/a.staging")]).is_ok());
}

#[test]
fn plain_http_to_a_public_host_needs_permission() {
    const PUBLIC: (&str, &str) = ("SEEDANCE_BASE_URL", "http://gateway.example/api/v3");
    let error = errors(&[KEY, ARCHIVE, PUBLIC]).remove(0);
    assert!(
        error.starts_with("SEEDANCE_BASE_URL uses plain HTTP to a public host"),
        "{error}"
    );
    let lookup = |name: &str| variable(&[KEY, ARCHIVE, PUBLIC], name);
    let loaded = LoadedConfig::load(lookup, None);
    assert_eq!(
        loaded.accounts.iter().count(),
        0,
        "no command may use the account"
    );

    let allow = ("SEEDANCE_ALLOW_PLAIN_HTTP", "true");
    assert!(load(&[KEY, ARCHIVE, PUBLIC, allow]).is_ok());
    for private in [
        "http://127.0.0.1:8240/api/v3",
        "http://gateway:8080",
        "http://a.b.svc",
    ] {
        let base_url = ("SEEDANCE_BASE_URL", private);
        assert!(load(&[KEY, ARCHIVE, base_url]).is_ok(), "{private}");
        // The proxy would read the key.
        let proxy = ("SEEDANCE_PROXY", "http://proxy.example:3128");
        assert_eq!(
            errors(&[KEY, ARCHIVE, base_url, proxy]).len(),
            1,
            "{private}"
        );
    }
    let proxy = ("SEEDANCE_PROXY", "http://proxy.example:3128");
    assert!(load(&[KEY, ARCHIVE, proxy]).is_ok(), "the preset uses TLS");
}

#[test]
fn a_key_is_given_by_value_or_in_a_file_but_not_both() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let path = file.path().to_str().unwrap();
    let in_file = ("SEEDANCE_API_KEY_FILE", path);
    assert!(errors(&[in_file, ARCHIVE])[0].ends_with("is empty"));
    std::fs::write(path, "key\n").unwrap();
    assert!(load(&[in_file, ARCHIVE]).is_ok());
    assert_eq!(
        errors(&[KEY, in_file, ARCHIVE]),
        ["SEEDANCE_API_KEY is set together with SEEDANCE_API_KEY_FILE; remove one of them"]
    );
}

#[test]
fn a_flag_is_true_or_false() {
    let auto_archive = |flag| {
        let config = load(&[KEY, ("SEEDANCE_AUTO_ARCHIVE", flag), ARCHIVE]);
        config.map(|config| config.accounts.get("").unwrap().auto_archive)
    };
    assert!(auto_archive("true").unwrap());
    assert!(!auto_archive("").unwrap());
    assert!(auto_archive("yes").unwrap_err().0[0].ends_with("must be `true` or `false`"));
}

#[test]
fn a_key_is_not_printed() {
    let config = load(&[("SEEDANCE_API_KEY", "very-secret"), ARCHIVE]).unwrap();
    assert!(!format!("{config:?}").contains("very-secret"));
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
fn a_webhook_needs_a_url_and_a_key() {
    let url = ("SEEDANCE_WEBHOOK_URL", "https://receiver.example/t0ken");
    let key = (
        "SEEDANCE_WEBHOOK_KEY",
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    );
    let config = load(&[KEY, ARCHIVE, url, key]).unwrap();
    assert!(config.accounts.get("").unwrap().webhook.is_some());
    let config = load(&[KEY, ARCHIVE]).unwrap();
    assert!(config.accounts.get("").unwrap().webhook.is_none());
    let weak = ("SEEDANCE_WEBHOOK_KEY", "t0ken");
    for (variables, start) in [
        (vec![url], "SEEDANCE_WEBHOOK_KEY is not set; set it to"),
        (vec![key], "SEEDANCE_WEBHOOK_URL is not set; set it to"),
        (vec![url, weak], "SEEDANCE_WEBHOOK_KEY must be 24 to 64"),
    ] {
        let errors = errors(&[vec![KEY, ARCHIVE], variables].concat());
        assert_eq!(errors.len(), 1, "{errors:?}");
        assert!(errors[0].starts_with(start), "{errors:?}");
        assert!(!errors[0].contains("t0ken"), "{errors:?}");
    }
}

#[test]
fn callbacks_need_a_token_and_a_listen_address() {
    let token = ("SEEDANCE_CALLBACK_TOKEN", "0123456789abcdef");
    let address = ("SEEDANCE_INGRESS_ADDRESS", "127.0.0.1:8088");
    let starts = ("SEEDANCE_CALLBACK_START_LIFECYCLES", "true");
    let config = load(&[KEY, ARCHIVE, token, address, starts]).unwrap();
    assert_eq!(
        config.ingress_address,
        Some("127.0.0.1:8088".parse().unwrap())
    );
    let callbacks = config.accounts.get("").unwrap().callbacks.clone().unwrap();
    assert!(callbacks.start_lifecycles);

    let short = ("SEEDANCE_CALLBACK_TOKEN", "short");
    for (variables, start) in [
        (
            vec![token],
            "SEEDANCE_INGRESS_ADDRESS is not set, but the account `default`",
        ),
        (
            vec![address],
            "SEEDANCE_INGRESS_ADDRESS is set, but no account accepts callbacks",
        ),
        (
            vec![starts],
            "SEEDANCE_CALLBACK_START_LIFECYCLES has no effect",
        ),
        (
            vec![short, address],
            "SEEDANCE_CALLBACK_TOKEN must be at least 16",
        ),
    ] {
        let errors = errors(&[vec![KEY, ARCHIVE], variables].concat());
        assert_eq!(errors.len(), 1, "{errors:?}");
        assert!(errors[0].starts_with(start), "{errors:?}");
    }
    let invalid = ("SEEDANCE_INGRESS_ADDRESS", "8088");
    let transfers = ("SEEDANCE_QUEUES", "transfer");
    let config = load(&[KEY, ARCHIVE, token, invalid, transfers]).unwrap();
    assert_eq!(config.ingress_address, None, "only query workers listen");
}

#[test]
fn the_defaults_apply_to_what_is_not_set() {
    assert_eq!(load_worker(&[]), (WorkerSettings::default(), Vec::new()));
}

#[test]
fn a_worker_is_configured_by_variables() {
    let (worker, errors) = load_worker(&[
        ("SEEDANCE_ADMIN_ADDRESS", "0.0.0.0:9464"),
        ("SEEDANCE_QUEUES", " transfer "),
        ("SEEDANCE_GRACE_PERIOD", "2m"),
        ("SEEDANCE_TRANSFER_SLOTS", "8"),
        ("SEEDANCE_QUERIES_PER_SECOND", "15.5"),
        ("SEEDANCE_TARGET_MEMORY", "0.8"),
        ("TEMPORAL_DEPLOYMENT_NAME", "videos"),
        ("TEMPORAL_WORKER_BUILD_ID", "v2"),
        ("SEEDANCE_VERSIONING", "pinned"),
    ]);
    assert_eq!(errors, Vec::<String>::new());
    assert!(worker.admin_address.is_some());
    assert_eq!(worker.queues.to_string(), "transfer");
    assert_eq!(worker.grace_period.0, Duration::from_secs(120));
    assert_eq!(worker.capacity.transfer.slots, 8);
    assert_eq!(worker.capacity.queries_per_second, Some(15.5));
    let target = worker.capacity.target.unwrap();
    assert_eq!((target.memory, target.cpu), (0.8, 1.0));
    let deployment = worker.deployment.unwrap();
    assert_eq!(deployment.versioning, Versioning::Pinned);
}

#[test]
fn each_variable_has_its_own_error() {
    let (_, errors) = load_worker(&[
        ("SEEDANCE_ADMIN_ADDRESS", "9464"),
        ("SEEDANCE_QUEUES", "queries"),
        ("SEEDANCE_GRACE_PERIOD", "10"),
        ("SEEDANCE_QUERY_SLOTS", "50"),
        ("SEEDANCE_TRANSFER_SLOTS", "33"),
        ("SEEDANCE_WORKFLOW_POLLERS", "1"),
        ("SEEDANCE_QUERIES_PER_SECOND", "0"),
        ("SEEDANCE_TARGET_CPU", "80"),
        ("SEEDANCE_LOG_FORMAT", "xml"),
        ("TEMPORAL_DEPLOYMENT_NAME", "videos"),
        ("SEEDANCE_VERSIONING", "auto"),
    ]);
    let expected = [
        "SEEDANCE_ADMIN_ADDRESS must be a listen address such as `0.0.0.0:9464`",
        "SEEDANCE_QUEUES must be `query`, `transfer` or `query,transfer`",
        "SEEDANCE_GRACE_PERIOD must be a duration such as `90s`, `24h` or `7d`",
        "SEEDANCE_WORKFLOW_POLLERS must be an integer from 2 to 100",
        "SEEDANCE_QUERY_SLOTS must be an integer from 60 to 10000",
        "SEEDANCE_TRANSFER_SLOTS must be an integer from 1 to 32",
        "SEEDANCE_QUERIES_PER_SECOND must be a number greater than 0",
        "SEEDANCE_TARGET_CPU must be a number greater than 0 and at most 1, such as `0.8`",
        "SEEDANCE_LOG_FORMAT must be `text` or `json`",
        "SEEDANCE_VERSIONING must be `auto_upgrade` or `pinned`",
        "TEMPORAL_DEPLOYMENT_NAME is set without TEMPORAL_WORKER_BUILD_ID; set both, or neither to turn \
         versioning off",
    ];
    assert_eq!(errors, expected);
    let (_, errors) = load_worker(&[("SEEDANCE_VERSIONING", "pinned")]);
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert!(errors[0].contains("has no effect without TEMPORAL_DEPLOYMENT_NAME"));
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

#[test]
fn a_proxy_and_networks_are_set_by_variables() {
    let proxy = (
        "SEEDANCE_PROXY",
        "http://user:very-secret@proxy.example:3128",
    );
    let networks = ("SEEDANCE_ALLOWED_NETWORKS", "198.18.0.0/15, fd00::/8");
    let lookup = |name: &str| variable(&[KEY, ARCHIVE, proxy, networks], name);
    let loaded = LoadedConfig::load(lookup, None);
    let account = loaded.accounts.get("").unwrap();
    assert!(
        account.endpoint.http.is_some(),
        "the API is called through the proxy"
    );
    let rules = account.fetch_rules();
    let shown = "http://proxy.example:3128 (with a user name)";
    assert_eq!(rules.proxy.unwrap().to_string(), shown);
    assert_eq!(
        rules.allowed_networks.to_string(),
        "198.18.0.0/15, fd00::/8"
    );
    let setting = |name: &str| {
        let mut settings = loaded.settings.iter();
        settings.find(|setting| setting.name == name).unwrap()
    };
    assert_eq!(setting("accounts.default.proxy").value, shown);
    assert!(!format!("{loaded:?}").contains("very-secret"));

    for (proxy, problem) in [
        ("socks5://very-secret", "is not the URL of an HTTP proxy"),
        ("http://user:very-secret@host/path", "has a path"),
    ] {
        let error = errors(&[KEY, ARCHIVE, ("SEEDANCE_PROXY", proxy)]).remove(0);
        assert!(
            error.starts_with(&format!("SEEDANCE_PROXY {problem}")),
            "{error}"
        );
        assert!(!error.contains("very-secret"), "{error}");
    }
    let error = errors(&[KEY, ARCHIVE, ("SEEDANCE_ALLOWED_NETWORKS", "clash")]).remove(0);
    assert!(error.contains("is not a network"), "{error}");
}

#[test]
fn invisible_characters_are_ignored_around_a_value_and_refused_inside() {
    let config = load(&[
        ("SEEDANCE_API_KEY", "\u{feff}key\u{200b}\r\n"),
        ("SEEDANCE_ARCHIVE_URL", "\u{200b}s3://bucket/videos\u{a0}"),
        ("SEEDANCE_AUTO_ARCHIVE", "\u{feff}true"),
        (
            "SEEDANCE_URL_HOSTS",
            "volces.com\u{200b}, \u{feff}a.example",
        ),
    ])
    .unwrap();
    assert_eq!(config.archive_url.as_str(), "s3://bucket/videos");
    let account = config.accounts.get("").unwrap();
    assert!(account.auto_archive);
    assert_eq!(account.url_hosts.to_string(), "volces.com, a.example");
    let key = account.endpoint.api_key.read().unwrap();
    assert_eq!(secrecy::ExposeSecret::expose_secret(&key), "key");

    for (name, value, code_point) in [
        ("SEEDANCE_API_KEY", "very\u{200b}secret", "U+200B"),
        ("SEEDANCE_API_KEY", "“very-secret”", "U+201C"),
        (
            "SEEDANCE_BASE_URL",
            "https://very\u{ad}secret.example",
            "U+00AD",
        ),
        ("SEEDANCE_URL_HOSTS", "very\u{200d}secret.example", "U+200D"),
    ] {
        let error = errors(&[(name, value), KEY, ARCHIVE]).remove(0);
        assert_eq!(error, format!("{name} contains {code_point}; delete it"));
    }
}

#[test]
fn the_key_that_seals_has_to_be_random() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let path = file.path().to_str().unwrap();
    let variables = [KEY, ARCHIVE, ("SEEDANCE_SEAL_KEYS_FILE", path)];
    std::fs::write(&file, "letmein\n").unwrap();
    let problem = format!(
        "SEEDANCE_SEAL_KEYS_FILE must name a file whose first key is random: the first key in {path} has 7 \
         bytes, at least 32 are needed; insert the output of `openssl rand -base64 32` as the first line, and keep \
         the others, which unseal"
    );
    assert_eq!(errors(&variables), [problem]);

    // What an earlier key sealed stays readable.
    let key = "mGdKXhGhRfXcJzN0x8tWqkq3WQb9dHk1u6oTn2yQm5c=";
    std::fs::write(&file, format!("{key}\nletmein\n")).unwrap();
    load(&variables).unwrap();
}
