use std::time::Duration;

use secrecy::ExposeSecret;
use seedance_archiver_policy::windows::Windows;

use super::*;
use crate::{
    archive::{ObjectOptions, checks::Mismatch},
    config::{Accounts, UrlHosts},
};

fn read_text(text: &str) -> Result<Accounts, Vec<String>> {
    let variable = |name: &str| (name == "EU_KEY").then(|| "from-the-environment\n".to_owned());
    let mut reader = Reader::default();
    let accounts = read_file("accounts.toml", text, &variable, &mut reader);
    if reader.errors.is_empty() {
        return Ok(accounts.into_iter().map(|read| read.account).collect());
    }
    Err(reader.errors.iter().map(ToString::to_string).collect())
}

#[test]
fn plain_http_to_a_public_host_needs_permission() {
    let account = |line: &str| {
        format!("[accounts.eu]\napi_key = \"k\"\nbase_url = \"http://gateway.example\"\n{line}")
    };
    let errors = read_text(&account("")).unwrap_err();
    let expected = "accounts.toml:3: accounts.eu.base_url uses plain HTTP to a public host";
    assert!(errors[0].starts_with(expected), "{errors:?}");
    assert!(read_text(&account("allow_plain_http = true")).is_ok());
}

#[test]
fn service_tiers_in_any_order_are_listed_and_none_is_an_error() {
    let account = |tiers: &str| {
        format!(
            "[accounts.eu]\napi_key = \"k\"\nbase_url = \"https://a.example\"\n\
             lists = {{ service_tiers = {tiers} }}\n"
        )
    };
    let errors = read_text(&account("[]")).unwrap_err();
    let expected =
        "accounts.toml:4: accounts.eu.lists.service_tiers must name at least one service tier";
    assert!(errors[0].starts_with(expected), "{errors:?}");
    assert_eq!(errors.len(), 1, "{errors:?}");
    let accounts = read_text(&account(r#"["flex", "", "flex"]"#)).unwrap();
    let lists = accounts.get("eu").unwrap().lists.all();
    let tiers: Vec<_> = lists
        .iter()
        .map(|list| list.service_tier.as_str())
        .collect();
    assert_eq!(tiers, ["", "flex"]);
}

#[test]
fn every_setting_of_an_account_is_read() {
    let key_file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(key_file.path(), "from-a-file-Q9zx7Kd2mWb5Rt8Lp3Vn6Ys").unwrap();
    let accounts = read_text(&format!(
        r#"
        [accounts.default]
        preset = "byteplus"
        api_key_file = "{0}"
        auto_archive = true

        [accounts.gateway]
        base_url = "https://gateway.example/v1/"
        task_path = "video?id={{task_id}}"
        api_key_env = "EU_KEY"
        seal_keys_file = "{0}"
        url_hosts = ["cdn.gateway.example"]
        windows = {{ query_window = "3d", margin = "10m", url_lifetime = "2h" }}
        pace = {{ shortest = "5s", longest = "2m", not_found_grace = "1h" }}
        limits = {{ queries_per_second = 0.5, lists_per_second = 0.2 }}

        [accounts.gateway.statuses]
        Done = "succeeded"

        [accounts.gateway.archive]
        prefix = "team-a/videos"
        keys = "{{account}}/{{task_id}}"
        storage_class = "STANDARD_IA"
        kms_key_id = "alias/videos"
        tags = {{ team = "studio" }}
        mismatch = "refuse"
        "#,
        key_file.path().display()
    ))
    .unwrap();
    let key = |account: &Account| {
        account
            .endpoint
            .api_key
            .read()
            .unwrap()
            .expose_secret()
            .to_owned()
    };

    let default = accounts.get("").unwrap();
    assert_eq!(key(&default), "from-a-file-Q9zx7Kd2mWb5Rt8Lp3Vn6Ys");
    assert!(default.auto_archive && default.endpoint.list_url().is_some());
    assert_eq!(default.endpoint.base_url.as_str(), preset::DEFAULT.base_url);
    assert_eq!(default.windows.url_lifetime, Duration::from_secs(86_400));
    assert_eq!(
        default.windows.query_window,
        Windows::default().query_window
    );

    assert_eq!(default.archive.objects, ObjectOptions::default());

    let gateway = accounts.get("gateway").unwrap();
    let archive = &gateway.archive;
    assert_eq!(archive.keys.to_string(), "{account}/{task_id}");
    assert_eq!(archive.mismatch, Mismatch::Refuse);
    let options = ObjectOptions {
        prefix: "team-a/videos".into(),
        storage_class: Some("STANDARD_IA".into()),
        kms_key_id: Some("alias/videos".into()),
        tags: [("team".into(), "studio".into())].into(),
    };
    assert_eq!(archive.objects, options);
    assert_eq!(key(&gateway), "from-the-environment");
    assert_eq!(
        gateway.endpoint.task_url("cgt-1").as_str(),
        "https://gateway.example/v1/video?id=cgt-1"
    );
    assert_eq!(gateway.url_hosts, UrlHosts::new(["cdn.gateway.example"]));
    assert_eq!(
        gateway.windows,
        Windows {
            query_window: Duration::from_secs(3 * 86_400),
            margin: Duration::from_secs(600),
            url_lifetime: Duration::from_secs(7_200),
            ..Windows::default()
        }
    );
    assert_eq!(gateway.schedule.max_interval, Duration::from_secs(120));
    assert_eq!(gateway.endpoint.status_aliases.resolve("done"), "succeeded");
    assert_eq!(
        gateway.endpoint.status_aliases.resolve("processing"),
        "running"
    );
    assert!(gateway.endpoint.seal_keys_file.is_some());
}

#[test]
fn every_error_has_its_line_and_key_but_no_value() {
    let errors = read_text(
        r#"[accounts.a]
preset = "other"
api_key = 5
base_urll = "https://a.example"

[accounts.b]
base_url = "ftp://b.example"
api_key = "very-secret"
api_key_env = "EU_KEY"
task_path = "tasks"
windows = { query_window = "1h", margin = "2h", url_life = "1d" }
pace = { shortest = 2, longest = "soon" }
statuses = { done = "finished" }
limits = { queries_per_second = 0 }
url_hosts = "b.example"

[accounts."c/d"]
preset = "volcengine"
api_key_env = "NOT_THERE"

[accounts.e]
"#,
    )
    .unwrap_err();
    let expected = [
        "accounts.toml:2: accounts.a.preset must be one of byteplus",
        "accounts.toml:3: accounts.a.api_key must be a non-empty string",
        "accounts.toml:4: accounts.a.base_urll is an unknown key; known keys: allow_plain_http, allow_reveal, allowed_networks,",
        "accounts.toml:7: accounts.b.base_url has the unsupported scheme `ftp`",
        "accounts.toml:8: accounts.b.api_key is set together with api_key_env; remove",
        "accounts.toml:10: accounts.b.task_path must contain `{task_id}` once",
        "accounts.toml:11: accounts.b.windows.margin must be shorter",
        "accounts.toml:11: accounts.b.windows.url_life is an unknown key",
        "accounts.toml:12: accounts.b.pace.shortest must be a non-empty string",
        "accounts.toml:12: accounts.b.pace.longest must be a duration",
        "accounts.toml:13: accounts.b.statuses.done must be one of queued",
        "accounts.toml:14: accounts.b.limits.queries_per_second must be a number greater than 0",
        "accounts.toml:15: accounts.b.url_hosts must be a list",
        "accounts.toml:17: accounts.c/d may contain only letters",
        "accounts.toml:19: accounts.c/d.api_key_env names the variable NOT_THERE",
        "accounts.toml:21: accounts.e has neither a preset nor a base_url",
        "accounts.toml:21: accounts.e has no API key",
    ];
    for start in expected {
        assert!(
            errors.iter().any(|it| it.starts_with(start)),
            "{start}: {errors:#?}"
        );
    }
    assert_eq!(errors.len(), expected.len(), "{errors:#?}");
    assert!(!errors.concat().contains("very-secret"), "{errors:#?}");
}

#[test]
fn invalid_archive_options_are_reported() {
    let errors = read_text(
        r#"
        [accounts.a]
        base_url = "https://a.example"
        api_key = "k"
        [accounts.a.archive]
        prefix = "a//b"
        keys = "{account}/{created:%Y}"
        tags = { team = 7, user = "{user}" }
        mismatch = "maybe"
        retention = "7y"
        "#,
    )
    .unwrap_err();
    let expected = [
        "6: accounts.a.archive.prefix must be a path",
        "7: accounts.a.archive.keys has no `{task_id}`",
        "8: accounts.a.archive.tags.team must be a non-empty string",
        "8: accounts.a.archive.tags.user has a field that is not `{safety_identifier}`",
        "9: accounts.a.archive.mismatch must be `warn` or `refuse`",
        "10: accounts.a.archive.retention is an unknown key",
    ];
    assert_eq!(errors.len(), expected.len(), "{errors:#?}");
    for (error, expected) in errors.iter().zip(expected) {
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn invalid_toml_is_reported_with_its_line_and_not_quoted() {
    let errors = read_text("[accounts.a]\napi_key = \"very-secret\n").unwrap_err();
    let start = "accounts.toml:2: invalid TOML: ";
    assert!(
        errors.iter().any(|error| error.starts_with(start)),
        "{errors:?}"
    );
    assert!(!errors.concat().contains("very-secret"), "{errors:?}");
}

#[test]
fn a_secret_in_invalid_toml_is_not_shown_as_a_key() {
    for text in [
        "[accounts.a]\nwindows = { margin = \"1h\"\nproxy = \"http://user:very-secret@a.example\"\n",
        "[accounts.a]\nlists = { models = [\"m\"]\napi_key = very-secret\n",
        "[accounts.a]\nbase_url = \"https://a.example\napi_key = \"very-secret\"\n",
        "[accounts.\napi_key = \"very-secret\"\n[accounts.\"very-secret\"\n",
    ] {
        let errors = read_text(text).unwrap_err();
        assert!(errors[0].contains(": invalid TOML: "), "{errors:?}");
        assert!(!errors.concat().contains("very-secret"), "{errors:?}");
    }
}

#[test]
fn a_section_is_a_table_and_a_quoted_key_is_no_path() {
    let errors = read_text(
        r#"
        [accounts.a]
        base_url = "https://a.example"
        api_key = "k"
        windows = 5
        archive = { tags = "team" }
        "pace.shortest" = "5s"

        [accounts.a.callbacks]
        start_lifecycles = true
        "#,
    )
    .unwrap_err();
    let expected = [
        "5: accounts.a.windows must be a table",
        "6: accounts.a.archive.tags must be a table",
        "7: accounts.a.pace.shortest is an unknown key",
        "9: accounts.a.callbacks has no token; set token, token_file or token_env",
    ];
    assert_eq!(errors.len(), expected.len(), "{errors:#?}");
    for (error, expected) in errors.iter().zip(expected) {
        assert!(error.contains(expected), "{error}");
    }
}

const WEBHOOK_KEY: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

#[test]
fn a_webhook_has_a_url_and_keys() {
    let url_file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(url_file.path(), "https://receiver.example/?t0ken\n").unwrap();
    let accounts = read_text(&format!(
        r#"
        [accounts.eu]
        base_url = "https://a.example"
        api_key = "k"
        [accounts.eu.webhook]
        url_file = "{}"
        key = "{WEBHOOK_KEY} {WEBHOOK_KEY}"
        "#,
        url_file.path().display()
    ));
    let account = accounts.unwrap().get("eu").unwrap();
    let webhook = account.webhook.as_ref().unwrap();
    let url = webhook.receiver(None).unwrap();
    assert_eq!(url.as_str(), "https://receiver.example/?t0ken");
    assert_eq!(webhook.signing_keys().unwrap().len(), 2);
    let debug = format!("{account:?}");
    assert!(
        !debug.contains("MfKQ") && !debug.contains("t0ken"),
        "{debug}"
    );
}

#[test]
fn an_invalid_webhook_is_reported_with_its_line_but_no_value() {
    let errors = |lines: &str| {
        let text = format!(
            "[accounts.eu]\nbase_url = \"https://a.example\"\napi_key = \"k\"\n[accounts.eu.webhook]\n{lines}"
        );
        read_text(&text).unwrap_err()
    };
    let key = format!("key = \"{WEBHOOK_KEY}\"\n");
    for (lines, expected) in [
        (
            "key = \"t0ken\"\nurl = \"https://r.example/t0ken\"".to_owned(),
            "accounts.toml:5: accounts.eu.webhook.key must be 24 to 64 random bytes",
        ),
        (
            format!("{key}url = \"r.example/t0ken\""),
            "accounts.toml:6: accounts.eu.webhook.url is not a URL; use a URL such as",
        ),
        (
            format!("{key}url = \"http://r.example/t0ken\""),
            "accounts.toml:6: accounts.eu.webhook.url uses plain HTTP over a public network",
        ),
        (
            format!("{key}url_env = \"EU_KEY\""),
            "accounts.toml:6: accounts.eu.webhook.url_env is not a URL",
        ),
        (
            key.clone(),
            "accounts.toml:4: accounts.eu.webhook has no URL; set url, url_file or url_env",
        ),
        (
            "url = \"https://r.example/t0ken\"".to_owned(),
            "accounts.toml:4: accounts.eu.webhook has no key; set key, key_file or key_env",
        ),
        (
            format!("{key}url = \"https://r.example/t0ken\"\nurls = 5"),
            "accounts.toml:7: accounts.eu.webhook.urls is an unknown key",
        ),
    ] {
        let errors = errors(&lines);
        assert_eq!(errors.len(), 1, "{errors:#?}");
        assert!(errors[0].starts_with(expected), "{errors:#?}");
        assert!(!errors[0].contains("t0ken"), "{errors:#?}");
    }
}
