//! The accounts file.

use std::{cell::RefCell, fs, path::PathBuf};

use seedance_archiver::config::{KeyTemplate, LoadedConfig, Source};
use seedance_archiver_proto::account;
use tempfile::TempDir;

use crate::secrets::{self, SECRET};

/// Lines with secrets, of which one is inserted.
const SECRETS: [&str; 8] = [
    "api_key = \"{}\"\n",
    "callbacks.token = \"{}\"\n",
    "proxy = \"http://user:{}@proxy.example:3128\"\n",
    "api_key = {}\n",
    "webhook = { url = \"https://hooks.example/{}\", key = \"whsec_{}\" }\n",
    "api_key_file = \"SECRET_FILE\"\n",
    "seal_keys_file = \"SECRET_FILE\"\n",
    "callbacks.token_file = \"SECRET_FILE\"\n",
];
/// In its place is the path of a file with the secret.
const SECRET_FILE: &str = "SECRET_FILE";

/// The end of the names of settings with files, which are read.
const FILE: &str = "_file";
/// Directories with devices, pipes and other files that have no end, or nothing to read yet.
const ENDLESS: [&str; 4] = ["/dev", "/proc", "/run", "/sys"];

thread_local! {
    static DIRECTORY: RefCell<TempDir> = RefCell::new(tempfile::tempdir().unwrap());
}

/// A file is valid if and only if there is no error. Each error names a line of the file, and no error and no setting
/// shows a secret. The accounts of a valid file have valid names and templates.
pub fn check(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    if secrets::is_in(&text) || may_read_forever(&text) {
        return;
    }
    check_file(&text);
    let line = SECRETS[text.len() % SECRETS.len()].replace("{}", SECRET);
    check_file(&with_line(&text, &line));
}

/// Returns whether a setting may name a file whose reading does not end. Such a text cannot be checked: the files of settings
/// are read, and a pipe is a file that is meant.
fn may_read_forever(text: &str) -> bool {
    let names = |text: &str| {
        let has_file = text.contains(FILE);
        has_file && ENDLESS.iter().any(|directory| text.contains(directory))
    };
    names(text) || names(&unescaped(text))
}

/// Returns a text without the escapes of TOML, wherever they are, that can write the name of a setting or of a file.
fn unescaped(text: &str) -> String {
    let mut parts = text.split('\\');
    let mut unescaped = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let digits = match part.chars().next() {
            Some('x') => 2,
            Some('u') => 4,
            Some('U') => 8,
            _ => 0,
        };
        let code = part.get(1..=digits).filter(|_| digits > 0);
        let code = code.and_then(|code| u32::from_str_radix(code, 16).ok());
        match code.and_then(char::from_u32) {
            Some(character) => {
                unescaped.push(character);
                unescaped.push_str(&part[1 + digits..]);
            }
            // The end of a line, and white space after it, is no part of the string.
            None => unescaped.push_str(part.trim_start()),
        }
    }
    unescaped
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

/// Writes the file of accounts, and the one with the secret.
fn write(text: &str) -> PathBuf {
    DIRECTORY.with_borrow(|directory| {
        let secret = directory.path().join("secret");
        fs::write(&secret, SECRET).unwrap();
        let path = directory.path().join("accounts.toml");
        let text = text.replace(SECRET_FILE, &secret.display().to_string());
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
        // Words of devices, which name none.
        "[accounts.dev]\nbase_url = \"https://processing.example/dev/v1\"\napi_key = \"key\"\n\
         allow_plain_http = false\nvideo_url_pointer = \"/dev/0/url\"\n",
        "[accounts.files]\npreset = \"byteplus\"\napi_key_file = \"SECRET_FILE\"\nseal_keys_file = \"keys/missing\"\n\
         callbacks = { token_file = \"SECRET_FILE\" }\nwebhook = { url_file = \"SECRET_FILE\", key_env = \"GATEWAY_KEY\" }\n",
        "[accounts.\"e\\u0075\"]\npreset = \"byteplus\"\n\"api_key\\u005ffile\" = \"\\x2fmissing\"\n",
    ];
    files.map(|file| file.as_bytes().to_vec()).to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_file_that_may_have_no_end_is_not_read() {
        for text in [
            "api_key_file = \"/dev/zero\"",
            "seal_keys_file = \"../../../proc/kmsg\"",
            "\"api_key\\u005ffile\" = \"/de\\x76/zero\"",
            "api_key_file = \"\"\"/\\\n  dev/zero\"\"\"",
        ] {
            assert!(may_read_forever(text), "{text}");
        }
        for seed in seeds() {
            let text = String::from_utf8(seed).unwrap();
            assert!(!may_read_forever(&text), "{text}");
        }
    }
}
