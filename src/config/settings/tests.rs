use super::*;
use crate::config::LoadedConfig;

/// Loads a configuration from variables and, unless it is empty, an accounts file. Returns the file's path too.
fn load(variables: &[(&str, &str)], file: &str) -> (LoadedConfig, String) {
    let accounts = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(accounts.path(), file).unwrap();
    let path = accounts.path().display().to_string();
    let variable = |name: &str| match name {
        "SEEDANCE_ACCOUNTS_FILE" if !file.is_empty() => Some(path.clone()),
        _ => {
            let mut found = variables.iter().filter(|(key, _)| *key == name);
            found.next().map(|(_, value)| (*value).to_owned())
        }
    };
    (LoadedConfig::load(variable, None), path)
}

/// Returns the value and the source of a setting.
fn find<'a>(settings: &'a [Setting], name: &str) -> (&'a str, &'a Source) {
    let setting = settings.iter().find(|setting| setting.name == name);
    let setting = setting.unwrap_or_else(|| panic!("no {name} in {settings:#?}"));
    (&setting.value, &setting.source)
}

#[test]
fn each_setting_has_its_source() {
    let file = "[accounts.eu]\npreset = \"powertokens\"\napi_key_env = \"EU_KEY\"\n\
                windows = { margin = \"10m\" }\n[accounts.eu.archive]\nprefix = \"a/b\"\n";
    let variables = [
        ("SEEDANCE_API_KEY", "very-secret"),
        ("EU_KEY", "very-secret"),
        ("SEEDANCE_ARCHIVE_URL", "s3://bucket"),
    ];
    let (config, path) = load(&variables, file);
    let settings = &config.settings;
    assert_eq!(config.errors, []);
    let variable = |name: &str| Source::Variable(name.to_owned());
    let line = |line| Source::Line {
        file: path.clone(),
        line,
    };
    for (name, value, source) in [
        (
            "archive_url",
            "s3://bucket",
            variable("SEEDANCE_ARCHIVE_URL"),
        ),
        ("task_queue", "seedance-archiver", Source::Default),
        (
            "accounts.default.api_key",
            SECRET,
            variable("SEEDANCE_API_KEY"),
        ),
        (
            "accounts.default.base_url",
            "https://ark.ap-southeast.bytepluses.com/api/v3",
            Source::Preset("byteplus"),
        ),
        ("accounts.eu.preset", "powertokens", line(2)),
        ("accounts.eu.api_key_env", SECRET, line(3)),
        (
            "accounts.eu.base_url",
            "https://api.powertokens.ai/byteplus/api/v3",
            Source::Preset("powertokens"),
        ),
        ("accounts.eu.windows.margin", "10m", line(4)),
        ("accounts.eu.windows.query_window", "7d", Source::Default),
        (
            "accounts.eu.windows.url_lifetime",
            "14d",
            Source::Preset("powertokens"),
        ),
        ("accounts.eu.archive.prefix", "a/b", line(6)),
        ("accounts.eu.archive.mismatch", "warn", Source::Default),
    ] {
        assert_eq!(find(settings, name), (value, &source), "{name}");
    }
    assert!(!format!("{settings:?}").contains("very-secret"));
}

#[test]
fn an_invalid_setting_is_listed_without_its_value() {
    let file = "[accounts.eu]\nbase_url = \"ftp://x\"\napi_key = \"very-secret\"\n\
                [accounts.us]\npreset = \"byteplus\"\napi_key = \"k\"\npace = { shortest = \"soon\" }\n";
    let (config, _) = load(&[("SEEDANCE_ARCHIVE_URL", "here")], file);
    let settings = &config.settings;
    assert_eq!(config.errors.len(), 3, "{:#?}", config.errors);
    for name in [
        "archive_url",
        "accounts.eu.base_url",
        "accounts.eu.api_key",
        "accounts.us.pace.shortest",
    ] {
        assert_eq!(find(settings, name).0, INVALID, "{name}");
    }
    assert!(!format!("{settings:?}").contains("very-secret"));
}
