//! The effective settings of the connection, with their sources.

use temporalio_common::envconfig::{ClientConfigProfile, DEFAULT_PROFILE};

use super::profile::{self, CODEC_ENDPOINT, DEFAULT_NAMESPACE};
use crate::config::{Setting, Source};

const PROFILE: &str = "TEMPORAL_PROFILE";
const FILE: &str = "TEMPORAL_CONFIG_FILE";
const API_KEY: &str = "TEMPORAL_API_KEY";
const ADDRESS: &str = "TEMPORAL_ADDRESS";
const NAMESPACE: &str = "TEMPORAL_NAMESPACE";
const CODEC_AUTH: &str = "TEMPORAL_CODEC_AUTH";
/// Each of these variables enables TLS; the first one can also disable it.
const TLS: [&str; 9] = [
    "TEMPORAL_TLS",
    "TEMPORAL_TLS_CLIENT_CERT_PATH",
    "TEMPORAL_TLS_CLIENT_CERT_DATA",
    "TEMPORAL_TLS_CLIENT_KEY_PATH",
    "TEMPORAL_TLS_CLIENT_KEY_DATA",
    "TEMPORAL_TLS_SERVER_CA_CERT_PATH",
    "TEMPORAL_TLS_SERVER_CA_CERT_DATA",
    "TEMPORAL_TLS_SERVER_NAME",
    "TEMPORAL_TLS_DISABLE_HOST_VERIFICATION",
];

const DEFAULT_FILE: &str = "temporal.toml";
const DEFAULT_ADDRESS: &str = "localhost:7233";
/// Value of a setting that is not set.
const NONE: &str = "(none)";
/// Beginning of the value of `temporal.tls` if the connection is not encrypted.
const OFF: &str = "off";
/// Value of a secret that is set.
const SECRET: &str = "(a secret)";

/// Returns the settings of the connection, without secrets. `variable` looks up an environment variable.
///
/// # Errors
///
/// Returns an error if a variable or `temporal.toml` is invalid.
pub fn settings(variable: impl Fn(&str) -> Option<String>) -> Result<Vec<Setting>, String> {
    let variable = |name: &str| variable(name).filter(|value| !value.trim().is_empty());
    let profile = variable(PROFILE);
    let name = profile
        .clone()
        .unwrap_or_else(|| DEFAULT_PROFILE.to_owned());
    let file = variable(FILE).unwrap_or_else(|| DEFAULT_FILE.to_owned());
    let profile_source = match profile {
        Some(_) => Source::Variable(PROFILE.to_owned()),
        None => Source::Default,
    };
    let profiles = Profiles {
        in_file: profile::load(profile.clone(), false)?,
        effective: profile::load(profile, true)?,
        file: Source::Profile {
            file,
            profile: name.clone(),
        },
        variable,
    };
    profile::codec(&profiles.effective)?;
    Ok(vec![
        setting("profile", name, profile_source),
        profiles.setting("address", &[ADDRESS], DEFAULT_ADDRESS, |profile| {
            profile.address.clone()
        }),
        profiles.setting("namespace", &[NAMESPACE], DEFAULT_NAMESPACE, |profile| {
            profile.namespace.clone()
        }),
        profiles.setting("api_key", &[API_KEY], NONE, |profile| {
            profile.api_key.as_ref().map(|_| SECRET.to_owned())
        }),
        profiles.tls(),
        profiles.setting("codec.endpoint", &[CODEC_ENDPOINT], NONE, |profile| {
            profile.codec.as_ref()?.endpoint.clone()
        }),
        profiles.setting("codec.auth", &[CODEC_AUTH], NONE, |profile| {
            let auth = profile.codec.as_ref()?.auth.as_ref();
            auth.map(|_| SECRET.to_owned())
        }),
    ])
}

fn setting(name: &str, value: String, source: Source) -> Setting {
    Setting {
        name: format!("temporal.{name}"),
        value,
        source,
    }
}

/// The client profile with and without environment variables, to determine the source of a setting.
struct Profiles<F> {
    in_file: ClientConfigProfile,
    effective: ClientConfigProfile,
    file: Source,
    /// Looks up an environment variable.
    variable: F,
}

impl<F: Fn(&str) -> Option<String>> Profiles<F> {
    fn setting(
        &self,
        name: &str,
        variables: &[&str],
        default: &str,
        get: impl Fn(&ClientConfigProfile) -> Option<String>,
    ) -> Setting {
        let source = self.source(variables, get(&self.in_file).is_some());
        let value = get(&self.effective).unwrap_or_else(|| default.to_owned());
        setting(name, value, source)
    }

    fn tls(&self) -> Setting {
        let configured = self.configured_tls();
        if configured.value != OFF && profile::plain_network(&self.effective).is_some() {
            let value = format!("{OFF}, because the address begins with `http://`");
            return setting("tls", value, self.source(&[ADDRESS], true));
        }
        configured
    }

    /// Returns whether TLS is enabled, unless the address has a scheme.
    fn configured_tls(&self) -> Setting {
        let get = |profile: &ClientConfigProfile| {
            let tls = profile.tls.as_ref()?;
            let value = match tls.disabled {
                Some(true) => OFF,
                _ => "on",
            };
            Some(value.to_owned())
        };
        // An API key enables TLS.
        if self.effective.tls.is_none() && self.effective.api_key.is_some() {
            let source = self.source(&[API_KEY], true);
            return setting("tls", "on, because of the API key".to_owned(), source);
        }
        self.setting("tls", &TLS, OFF, get)
    }

    fn source(&self, variables: &[&str], is_in_file: bool) -> Source {
        let variable = variables
            .iter()
            .find(|name| (self.variable)(name).is_some());
        match variable {
            Some(name) => Source::Variable((*name).to_owned()),
            None if is_in_file => self.file.clone(),
            None => Source::Default,
        }
    }
}
