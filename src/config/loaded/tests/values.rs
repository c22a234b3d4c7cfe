//! Which values a variable may have.

use super::*;

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
