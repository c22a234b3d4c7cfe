//! Warns of connections that are not encrypted, as far as the configuration says.

use reqwest::Url;

use super::CheckResult;
use crate::{
    config::{Account, LoadedConfig, Setting},
    http::{Network, unencrypted},
};

/// Fix of a URL that can have another scheme.
const USE_HTTPS: &str = "let it serve TLS, and use its `https://` URL";

/// Variables with the URL of a server, and what is sent to it.
const SERVERS: [(&str, &str); 8] = [
    ("AWS_ENDPOINT_URL_S3", STORE),
    ("AWS_ENDPOINT_URL", STORE),
    ("AWS_ENDPOINT", STORE),
    ("AZURE_STORAGE_ENDPOINT", STORE),
    ("AZURE_ENDPOINT", STORE),
    ("GOOGLE_BASE_URL", STORE),
    ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", TRACES),
    ("OTEL_EXPORTER_OTLP_ENDPOINT", TRACES),
];
const STORE: &str = "videos, receipts and temporary credentials";
const TRACES: &str = "traces, and the headers in OTEL_EXPORTER_OTLP_HEADERS";

/// Returns a warning for each unencrypted connection: to an API on another machine, and to any other server that may be
/// on the internet. `temporal` has the settings of the connection to Temporal; `variable` returns an environment
/// variable.
pub fn check(
    config: &LoadedConfig,
    temporal: &[Setting],
    variable: impl Fn(&str) -> Option<String>,
) -> Vec<CheckResult> {
    let accounts = config.accounts.iter();
    let accounts = accounts.flat_map(|account| [api(account), proxy(account)]);
    let servers = SERVERS.iter().filter_map(|(name, sent)| {
        let url = variable(name)?;
        is_public(&url).then(|| warning(*name, &url, sent, USE_HTTPS))
    });
    let temporal = [server(temporal), codec(temporal)];
    accounts.chain(temporal).flatten().chain(servers).collect()
}

fn api(account: &Account) -> Option<CheckResult> {
    let base_url = &account.endpoint.base_url;
    let network = unencrypted(base_url)?;
    (network != Network::Loopback).then(|| {
        let name = format!("encryption of `{}`", account.name());
        let fix = "let the API or its gateway serve TLS, and use `https://` in `base_url` (SEEDANCE_BASE_URL)";
        warning(name, base_url.as_str(), "the API key and task records", fix)
    })
}

fn proxy(account: &Account) -> Option<CheckResult> {
    let proxy = account.proxy.as_ref().filter(|proxy| proxy.is_secret())?;
    (proxy.unencrypted() == Some(Network::Public)).then(|| {
        let name = format!("encryption of the proxy of `{}`", account.name());
        let fix =
            "use a proxy with `https://` in `proxy` (SEEDANCE_PROXY), or one without a password";
        warning(name, &proxy.to_string(), "the password of the proxy", fix)
    })
}

fn server(temporal: &[Setting]) -> Option<CheckResult> {
    let address = value(temporal, "temporal.address")?;
    let has_tls = !value(temporal, "temporal.tls")?.starts_with("off");
    let has_scheme = Url::parse(address).is_ok_and(|url| url.has_host());
    let url = match has_scheme {
        true => address.to_owned(),
        false => format!("http://{address}"),
    };
    (!has_tls && is_public(&url)).then(|| {
        let sent = "histories, and the API key of Temporal if one is set";
        warning(
            "encryption of Temporal",
            address,
            sent,
            "set TEMPORAL_TLS=true, and TEMPORAL_ADDRESS without `http://`",
        )
    })
}

fn codec(temporal: &[Setting]) -> Option<CheckResult> {
    let endpoint = value(temporal, "temporal.codec.endpoint")?;
    is_public(endpoint).then(|| {
        let sent = "payloads, and the credentials in TEMPORAL_CODEC_AUTH";
        warning("encryption of the codec server", endpoint, sent, USE_HTTPS)
    })
}

fn value<'a>(settings: &'a [Setting], name: &str) -> Option<&'a str> {
    let setting = settings.iter().find(|setting| setting.name == name)?;
    Some(&setting.value)
}

fn is_public(url: &str) -> bool {
    let url = Url::parse(url.trim()).ok();
    url.and_then(|url| unencrypted(&url)) == Some(Network::Public)
}

fn warning(name: impl Into<String>, server: &str, sent: &str, fix: &str) -> CheckResult {
    CheckResult::warning(
        name,
        format!(
            "no TLS to {}: anyone on the way can read {sent}",
            shown(server)
        ),
        fix,
    )
}

/// Shows a URL without what may be a secret: credentials and a query.
fn shown(server: &str) -> String {
    let Ok(mut url) = Url::parse(server) else {
        return server.to_owned();
    };
    // An error means that the URL cannot have credentials.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_query(None);
    url.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{checkup::CheckState, config::Source};

    /// Returns what is found with these variables and settings of Temporal.
    fn found(variables: &[(&str, &str)], temporal: &[(&str, &str)]) -> Vec<String> {
        let variable = |name: &str| {
            let mut variables = variables.iter();
            let found = variables.find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        let with_defaults = |name: &str| match name {
            "SEEDANCE_API_KEY" => Some("secret".to_owned()),
            "SEEDANCE_ARCHIVE_URL" => Some("s3://bucket".to_owned()),
            name => variable(name),
        };
        let temporal = temporal.iter().map(|(name, value)| Setting {
            name: (*name).to_owned(),
            value: (*value).to_owned(),
            source: Source::Default,
        });
        let config = LoadedConfig::load(with_defaults, None);
        assert!(config.errors.is_empty(), "{:?}", config.errors);
        let results = check(&config, &temporal.collect::<Vec<_>>(), variable);
        assert!(results.iter().all(|it| it.state == CheckState::Warning));
        let shown = results.into_iter().map(|it| {
            assert!(!it.found.contains("secret"), "{it:?}");
            format!("{}: {}; {}", it.name, it.found, it.fix.unwrap_or_default())
        });
        shown.collect()
    }

    #[test]
    fn encrypted_and_local_connections_are_not_mentioned() {
        assert_eq!(found(&[], &[]), Vec::<String>::new());
        let local = [
            ("SEEDANCE_BASE_URL", "http://127.0.0.1:8240/api/v3"),
            ("SEEDANCE_PROXY", "http://user:secret@proxy:3128"),
            ("AWS_ENDPOINT_URL", "http://minio:9000"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4317"),
        ];
        let temporal = [
            ("temporal.address", "temporal-frontend.temporal.svc:7233"),
            ("temporal.tls", "off"),
            ("temporal.codec.endpoint", "http://codec:8081"),
        ];
        assert_eq!(found(&local, &temporal), Vec::<String>::new());
        let tls = [
            ("temporal.address", "a.tmprl.cloud:7233"),
            ("temporal.tls", "on"),
        ];
        assert_eq!(found(&[], &tls), Vec::<String>::new());
    }

    #[test]
    fn an_unencrypted_api_is_a_warning_that_names_the_setting() {
        let private = found(
            &[("SEEDANCE_BASE_URL", "http://gateway.videos.svc/api/v3")],
            &[],
        );
        let [private] = private.try_into().unwrap();
        assert!(
            private.starts_with("encryption of `default`: no TLS to http://gateway.videos.svc"),
            "{private}"
        );
        assert!(private.contains("SEEDANCE_BASE_URL"), "{private}");
        let public = found(
            &[
                ("SEEDANCE_BASE_URL", "http://gateway.example/api/v3"),
                ("SEEDANCE_ALLOW_PLAIN_HTTP", "true"),
            ],
            &[],
        );
        assert_eq!(public.len(), 1, "{public:?}");
    }

    #[test]
    fn the_address_of_temporal_may_have_a_scheme() {
        let because = "off, because the address begins with `http://`";
        let found = |address, tls| {
            let temporal = [("temporal.address", address), ("temporal.tls", tls)];
            found(&[], &temporal).len()
        };
        assert_eq!(found("http://temporal.example:7233", because), 1);
        assert_eq!(found("http://temporal.example:7233", "off"), 1);
        assert_eq!(found("http://temporal.temporal.svc:7233", because), 0);
        assert_eq!(found("https://temporal.example:7233", "on"), 0);
        assert_eq!(found("localhost:7233", "off"), 0);
    }

    #[test]
    fn unencrypted_servers_on_the_internet_are_warnings() {
        let variables = [
            ("SEEDANCE_PROXY", "http://user:secret@proxy.example:3128"),
            ("AWS_ENDPOINT_URL", "http://user:secret@s3.example"),
            (
                "OTEL_EXPORTER_OTLP_ENDPOINT",
                "http://otel.example:4317?key=secret",
            ),
        ];
        let temporal = [
            ("temporal.address", "temporal.example:7233"),
            ("temporal.tls", "off"),
            ("temporal.codec.endpoint", "http://codec.example"),
        ];
        let found = found(&variables, &temporal);
        assert_eq!(found.len(), 5, "{found:#?}");
        for server in ["proxy", "s3", "otel", "temporal", "codec"] {
            let server = format!("{server}.example");
            assert!(
                found.iter().any(|found| found.contains(&server)),
                "{server}: {found:#?}"
            );
        }
    }
}
