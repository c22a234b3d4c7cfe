//! The client profile: that of `temporal.toml`, overridden by the environment.

use std::{collections::HashMap, ffi::OsString};

use reqwest::Url;
use temporalio_client::envconfig::LoadClientConfigProfileOptions;
use temporalio_common::envconfig::{ClientConfigProfile, ConfigError, load_client_config_profile};

use crate::{
    http::{Network, unencrypted},
    temporal::codec::RemoteCodec,
};

/// Namespace if none is configured.
pub(super) const DEFAULT_NAMESPACE: &str = "default";
/// Environment variable with the URL of the codec server.
pub(super) const CODEC_ENDPOINT: &str = "TEMPORAL_CODEC_ENDPOINT";

/// Beginning of the variables with gRPC headers. An empty one removes a header of the file.
const HEADERS: &str = "TEMPORAL_GRPC_META_";

/// Loads a profile, by default the one that the environment names, with or without the environment variables
/// that override it. An empty variable counts as not set, which the SDK takes for an empty value.
pub(super) fn load(
    name: Option<String>,
    with_environment: bool,
) -> Result<ClientConfigProfile, String> {
    let options = LoadClientConfigProfileOptions::builder()
        .maybe_config_file_profile(name)
        .disable_env(!with_environment)
        .build();
    let variables = set_variables(std::env::vars_os())?;
    load_client_config_profile(options, Some(&variables))
        .map_err(|error: ConfigError| without_excerpt(&error.to_string()))
}

/// Returns Temporal's variables that are set.
fn set_variables(
    variables: impl Iterator<Item = (OsString, OsString)>,
) -> Result<HashMap<String, String>, String> {
    let mut set = HashMap::new();
    for (name, value) in variables {
        let Some(name) = name.to_str().filter(|name| name.starts_with("TEMPORAL_")) else {
            continue;
        };
        let Ok(value) = value.into_string() else {
            return Err(format!("{name} is not valid Unicode"));
        };
        if !value.trim().is_empty() || name.starts_with(HEADERS) {
            set.insert(name.to_owned(), value);
        }
    }
    Ok(set)
}

/// Returns the codec of a profile, or `None` if payloads are sent unencoded. The error begins with the name of
/// the setting.
pub(super) fn codec(profile: &ClientConfigProfile) -> Result<Option<RemoteCodec>, String> {
    let Some(codec) = &profile.codec else {
        return Ok(None);
    };
    let endpoint = codec.endpoint.as_deref().unwrap_or_default();
    if endpoint.is_empty() {
        return Ok(None);
    }
    let namespace = profile.namespace.as_deref().unwrap_or(DEFAULT_NAMESPACE);
    RemoteCodec::new(endpoint, codec.auth.clone(), namespace)
        .map(Some)
        .map_err(|problem| format!("{CODEC_ENDPOINT} {problem}"))
}

/// Checks that the API key is not sent unencrypted over a public network only because the address says so. Whoever disables
/// TLS as well has decided it.
pub(super) fn check_route(profile: &ClientConfigProfile) -> Result<(), String> {
    let tls = profile.tls.as_ref();
    let is_disabled = tls.is_some_and(|tls| tls.disabled == Some(true));
    match plain_network(profile) {
        Some(Network::Public) if profile.api_key.is_some() && !is_disabled => Err(
            "TEMPORAL_ADDRESS begins with `http://`, which would send the API key unencrypted over a public network; use \
             `https://`, or set TEMPORAL_TLS=false if something else protects the connection"
                .to_owned(),
        ),
        _ => Ok(()),
    }
}

/// Returns the networks that calls cross unencrypted because the address begins with `http://`, whatever enables TLS. `None` if
/// it does not.
pub(super) fn plain_network(profile: &ClientConfigProfile) -> Option<Network> {
    let address = Url::parse(profile.address.as_deref()?).ok()?;
    // In `localhost:7233`, `localhost` counts as the scheme.
    unencrypted(&address).filter(|_| address.has_host())
}

/// Removes the excerpt of a TOML file from a parser's error: its lines may contain keys.
fn without_excerpt(error: &str) -> String {
    let is_excerpt = |line: &&str| {
        let after_number = line
            .trim_start()
            .trim_start_matches(|c: char| c.is_ascii_digit());
        after_number.trim_start().starts_with('|')
    };
    let lines: Vec<_> = error
        .lines()
        .filter(|line| !is_excerpt(line))
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    lines.join(": ")
}

#[cfg(test)]
mod tests {
    use temporalio_common::envconfig::ClientConfigTLS;

    use super::*;

    #[test]
    fn an_empty_variable_is_not_set() {
        let variables = [
            ("TEMPORAL_ADDRESS", "host:7233"),
            ("TEMPORAL_API_KEY", ""),
            ("TEMPORAL_TLS_SERVER_NAME", " "),
            ("TEMPORAL_GRPC_META_TEAM", ""),
            ("PATH", "/bin"),
        ];
        let variables =
            variables.map(|(name, value)| (OsString::from(name), OsString::from(value)));
        let set = set_variables(variables.into_iter()).unwrap();
        let mut names: Vec<_> = set.keys().map(String::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["TEMPORAL_ADDRESS", "TEMPORAL_GRPC_META_TEAM"]);
    }

    #[test]
    fn an_address_cannot_expose_the_api_key() {
        let profile = |address: &str| {
            ClientConfigProfile::builder()
                .address(address)
                .api_key("secret")
                .build()
        };
        let exposed = profile("http://temporal.example:7233");
        assert!(check_route(&exposed).unwrap_err().contains("TEMPORAL_TLS"));
        for safe in [
            "https://temporal.example:7233",
            "temporal.example:7233",
            "http://temporal-frontend.temporal.svc:7233",
            "http://localhost:7233",
            "localhost:7233",
        ] {
            assert_eq!(check_route(&profile(safe)), Ok(()), "{safe}");
        }
        let mut without_key = exposed.clone();
        without_key.api_key = None;
        assert_eq!(check_route(&without_key), Ok(()));
        let mut without_tls = exposed;
        without_tls.tls = Some(ClientConfigTLS::builder().disabled(true).build());
        assert_eq!(check_route(&without_tls), Ok(()));
    }

    #[test]
    fn an_error_does_not_show_lines_of_the_file() {
        let error = "TOML parse error at line 2, column 11\n  |\n2 | api_key = \"a-secret\n  |           \
                     ^\ninvalid basic string\n";
        assert_eq!(
            without_excerpt(error),
            "TOML parse error at line 2, column 11: invalid basic string"
        );
    }
}
