//! The accounts file.

use std::{cell::RefCell, fs, path::PathBuf};

use seedance_archiver::config::{KeyTemplate, LoadedConfig, Source};
use seedance_archiver_proto::account;
use tempfile::TempDir;

use crate::secrets::{self, SECRET};

/// Lines with secrets, of which one is inserted.
const SECRETS: [&str; 4] = [
    "api_key = \"{}\"\n",
    "callbacks.token = \"{}\"\n",
    "proxy = \"http://user:{}@proxy.example:3128\"\n",
    "api_key = {}\n",
];

thread_local! {
    static DIRECTORY: RefCell<TempDir> = RefCell::new(tempfile::tempdir().unwrap());
}

/// A file is valid if and only if there is no error. Each error names a line of the file, and no error and no setting
/// shows a secret. The accounts of a valid file have valid names and templates.
pub fn check(input: &[u8]) {
    // Settings name files, which are read. Devices have no end.
    let text = String::from_utf8_lossy(input);
    if secrets::is_in(&text) || text.contains("dev") || text.contains("proc") {
        return;
    }
    check_file(&text);
    let line = SECRETS[text.len() % SECRETS.len()].replace("{}", SECRET);
    check_file(&with_line(&text, &line));
}

/// Inserts a line, unless the text may contain a string of several lines, whose part the line would be.
fn with_line(text: &str, line: &str) -> String {
    if text.contains("\"\"\"") || text.contains("'''") {
        return text.to_owned();
    }
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let at = text.len() % (lines.len() + 1);
    let (before, after) = lines.split_at(at);
    let separator = if before.last().is_some_and(|line| !line.ends_with('\n')) {
        "\n"
    } else {
        ""
    };
    format!("{}{separator}{line}{}", before.concat(), after.concat())
}

fn check_file(text: &str) {
    let path = write(text);
    let name = path.display().to_string();
    let load = || {
        let variable = |variable: &str| match variable {
            "SEEDANCE_ACCOUNTS_FILE" => Some(name.clone()),
            "SEEDANCE_ARCHIVE_URL" => Some("s3://bucket/videos".to_owned()),
            "GATEWAY_KEY" => Some(SECRET.to_owned()),
            "SEEDANCE_INGRESS_ADDRESS" if text.contains("callbacks") => {
                Some("127.0.0.1:0".to_owned())
            }
            _ => None,
        };
        LoadedConfig::load(variable, None)
    };
    let loaded = load();
    let again = load();
    assert_eq!(
        (&again.errors, &again.settings),
        (&loaded.errors, &loaded.settings)
    );
    let lines = text.matches('\n').count() + 1;
    for error in &loaded.errors {
        assert!(!secrets::is_in(&error.to_string()), "{error}\n{text}");
        if let Source::Line { line, .. } = error.source {
            assert!((1..=lines).contains(&line), "{error}");
        }
    }
    for setting in &loaded.settings {
        assert!(!secrets::is_in(&setting.value), "{setting:?}\n{text}");
    }
    assert!(!secrets::is_in(&format!("{loaded:?}")), "{text}");
    let config = loaded.config();
    assert_eq!(config.is_ok(), loaded.errors.is_empty());
    for account in config.iter().flat_map(|config| config.accounts.iter()) {
        assert_eq!(account::check(account.name()), Ok(()));
        let keys = account.archive.keys.to_string();
        assert_eq!(keys.parse::<KeyTemplate>().unwrap(), account.archive.keys);
        assert!(account.seal().is_ok() || account.endpoint.seal_keys_file.is_some());
    }
}

fn write(text: &str) -> PathBuf {
    DIRECTORY.with_borrow(|directory| {
        let path = directory.path().join("accounts.toml");
        fs::write(&path, text).unwrap();
        path
    })
}

/// Returns files with every kind of setting.
pub fn seeds() -> Vec<Vec<u8>> {
    let files = [
        "[accounts.default]\npreset = \"byteplus\"\napi_key = \"key\"\n",
        "[accounts.gateway]\nbase_url = \"https://gateway.example/v1\"\ntask_path = \"video/query?id={task_id}\"\n\
         api_key_env = \"GATEWAY_KEY\"\nurl_hosts = [\"cdn.example\", \"http://10.0.0.1\"]\n\
         windows = { url_lifetime = \"12h\", margin = \"1h 30m\" }\nlimits = { queries_per_second = 5.5 }\n\
         allowed_networks = [\"198.18.0.0/15\"]\npace = { shortest = \"2s\", longest = \"5m\" }\n\n\
         [accounts.gateway.statuses]\nrendering = \"running\"\n\"done.\" = \"succeeded\"\n",
        "[accounts.eu.archive]\nprefix = \"team/a\"\nkeys = \"{created:%Y}/{task_id}\"\nmismatch = \"refuse\"\n\
         tags = { team = \"a\" }\ndestinations = [\"s3://other/x\"]\nstorage_class = \"STANDARD_IA\"\n\
         [accounts.eu]\npreset = \"volcengine\"\napi_key = \"key\"\nauto_archive = true\n\
         lists = { models = [\"m\"], service_tiers = [\"flex\", \"\"] }\n\
         callbacks = { token = \"token-token-token\", start_lifecycles = true }\n",
        "accounts = 7\n[accounts.\"a/b\"]\nbase_url = 1\napi_key = [\nx = ",
    ];
    files.map(|file| file.as_bytes().to_vec()).to_vec()
}
