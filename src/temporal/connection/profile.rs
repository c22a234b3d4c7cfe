//! The client profile: that of `temporal.toml`, overridden by the environment.

use temporalio_client::envconfig::LoadClientConfigProfileOptions;
use temporalio_common::envconfig::{ClientConfigProfile, ConfigError, load_client_config_profile};

use crate::temporal::codec::RemoteCodec;

/// Namespace if none is configured.
pub(super) const DEFAULT_NAMESPACE: &str = "default";
/// Environment variable with the URL of the codec server.
pub(super) const CODEC_ENDPOINT: &str = "TEMPORAL_CODEC_ENDPOINT";

/// Loads a profile, by default the one that the environment names, with or without the environment variables
/// that override it.
pub(super) fn load(
    name: Option<String>,
    with_environment: bool,
) -> Result<ClientConfigProfile, String> {
    let options = LoadClientConfigProfileOptions::builder()
        .maybe_config_file_profile(name)
        .disable_env(!with_environment)
        .build();
    load_client_config_profile(options, None)
        .map_err(|error: ConfigError| without_excerpt(&error.to_string()))
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
    use super::*;

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
