use super::*;

/// What is read from these variables and a file of accounts, by name.
fn settings(variables: &[(&str, &str)], file: &str) -> (Vec<Setting>, Reading, String) {
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
    let reading = Reading::of(variable, None);
    (reading.settings(), reading, path)
}

fn of<'a>(settings: &'a [Setting], name: &str) -> (&'a str, &'a Source) {
    let found = settings.iter().find(|it| it.name == name);
    let found = found.unwrap_or_else(|| panic!("no {name} in {settings:#?}"));
    (&found.value, &found.source)
}

#[test]
fn each_setting_says_where_it_comes_from() {
    let file = "[accounts.eu]\npreset = \"powertokens\"\napi_key_env = \"EU_KEY\"\n\
                windows = { margin = \"10m\" }\n[accounts.eu.archive]\nprefix = \"a/b\"\n";
    let variables = [
        ("SEEDANCE_API_KEY", "very-secret"),
        ("EU_KEY", "very-secret"),
        ("SEEDANCE_ARCHIVE_URL", "s3://bucket"),
    ];
    let (settings, reading, path) = settings(&variables, file);
    assert_eq!(reading.faults, []);
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
        assert_eq!(of(&settings, name), (value, &source), "{name}");
    }
    assert!(!format!("{settings:?}").contains("very-secret"));
}

#[test]
fn what_cannot_be_used_is_listed_without_its_value() {
    let file = "[accounts.eu]\nbase_url = \"ftp://x\"\napi_key = \"very-secret\"\n\
                [accounts.us]\npreset = \"byteplus\"\napi_key = \"k\"\npace = { shortest = \"soon\" }\n";
    let (settings, reading, _) = settings(&[("SEEDANCE_ARCHIVE_URL", "here")], file);
    assert_eq!(reading.faults.len(), 3, "{:#?}", reading.faults);
    for name in [
        "archive_url",
        "accounts.eu.base_url",
        "accounts.eu.api_key",
        "accounts.us.pace.shortest",
    ] {
        assert_eq!(of(&settings, name).0, WRONG, "{name}");
    }
    assert!(!format!("{settings:?}").contains("very-secret"));
}
