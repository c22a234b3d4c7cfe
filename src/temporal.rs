//! The Temporal that the environment or `temporal.toml` names.

use std::time::Duration;

use temporalio_client::{
    Client, ClientOptions, Connection, envconfig::LoadClientConfigProfileOptions,
};
use temporalio_common::envconfig::{
    ClientConfigProfile, ConfigError, DEFAULT_PROFILE, load_client_config_profile,
};

use crate::config::{Setting, Source};

/// Longest time to connect to Temporal, where its configuration says nothing.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
pub enum CannotConnect {
    /// What the environment or the file says makes no sense.
    #[error("the Temporal configuration cannot be used: {0}")]
    Configuration(String),
    /// Nobody answers, or not as Temporal does.
    #[error(
        "cannot reach Temporal at {address}: {fault}. Set TEMPORAL_ADDRESS, or start one with \
         `temporal server start-dev`"
    )]
    Unreachable {
        /// Where it should be.
        address: String,
        /// The cause.
        fault: String,
    },
    /// The client refuses its options.
    #[error("cannot make a client of Temporal: {0}")]
    Client(String),
}

/// Connects to it.
pub async fn connect() -> Result<Client, CannotConnect> {
    let (client, _) = connect_and_tell().await?;
    Ok(client)
}

/// Connects to it, and tells where it is.
pub async fn connect_and_tell() -> Result<(Client, String), CannotConnect> {
    // Its error is not `Send`: keep the words.
    let (mut connection, client) =
        ClientOptions::load_from_config(LoadClientConfigProfileOptions::default())
            .map_err(|error| CannotConnect::Configuration(error.to_string()))?;
    connection.connect_timeout.get_or_insert(CONNECT_TIMEOUT);
    let address = connection.target.to_string();
    let connected = Connection::connect(connection).await;
    let connection = connected.map_err(|error| CannotConnect::Unreachable {
        address: address.clone(),
        fault: innermost(&error),
    })?;
    let client = Client::new(connection, client);
    let client = client.map_err(|error| CannotConnect::Client(error.to_string()))?;
    Ok((client, address))
}

/// The cause at the bottom: what lies above it repeats it in the words of each layer.
fn innermost(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

const PROFILE: &str = "TEMPORAL_PROFILE";
const FILE: &str = "TEMPORAL_CONFIG_FILE";
/// The settings that are shown: name, variable, and where they are in a profile.
type Field = (
    &'static str,
    &'static str,
    fn(&ClientConfigProfile) -> Option<String>,
);
const FIELDS: [Field; 4] = [
    ("temporal.address", "TEMPORAL_ADDRESS", |it| {
        it.address.clone()
    }),
    ("temporal.namespace", "TEMPORAL_NAMESPACE", |it| {
        it.namespace.clone()
    }),
    ("temporal.api_key", "TEMPORAL_API_KEY", |it| {
        it.api_key.as_ref().map(|_| "(a secret)".to_owned())
    }),
    ("temporal.tls", "TEMPORAL_TLS", |it| {
        let tls = it.tls.as_ref()?;
        Some(
            if tls.disabled == Some(true) {
                "off"
            } else {
                "on"
            }
            .to_owned(),
        )
    }),
];

/// How Temporal is reached, as the SDK reads it: the profile of the file, and variables over it.
/// `variable` looks up those that the SDK has read.
pub fn settings(variable: impl Fn(&str) -> Option<String>) -> Result<Vec<Setting>, String> {
    let load = |without_variables| load(variable(PROFILE), without_variables);
    let (effective, of_file) = (load(false)?, load(true)?);
    let file = variable(FILE).filter(|path| !path.is_empty());
    let file = file.unwrap_or_else(|| "temporal.toml".to_owned());
    let profile = variable(PROFILE).filter(|name| !name.is_empty());
    let profile = profile.unwrap_or_else(|| DEFAULT_PROFILE.to_owned());
    let setting = |(name, of_variable, get): Field| {
        let source = if variable(of_variable).is_some() {
            Source::Variable(of_variable.to_owned())
        } else if get(&of_file).is_some() {
            Source::Profile {
                file: file.clone(),
                profile: profile.clone(),
            }
        } else {
            Source::Default
        };
        let default = match name {
            "temporal.address" => "localhost:7233",
            "temporal.namespace" => "default",
            _ => "(none)",
        };
        Setting {
            name: name.to_owned(),
            value: get(&effective).unwrap_or_else(|| default.to_owned()),
            source,
        }
    };
    Ok(FIELDS.map(setting).to_vec())
}

fn load(profile: Option<String>, without_variables: bool) -> Result<ClientConfigProfile, String> {
    let profile = profile.filter(|name| !name.is_empty());
    let options = LoadClientConfigProfileOptions::builder()
        .maybe_config_file_profile(profile)
        .disable_env(without_variables)
        .build();
    load_client_config_profile(options, None).map_err(|error: ConfigError| error.to_string())
}
