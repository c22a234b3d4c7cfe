//! The Temporal that the environment or `temporal.toml` names.

use std::time::Duration;

use temporalio_client::{
    Client, ClientOptions, Connection, ConnectionOptions, envconfig::LoadClientConfigProfileOptions,
};
use temporalio_common::{
    data_converters::{DataConverter, DefaultFailureConverter, PayloadConverter},
    envconfig::{ClientConfigProfile, ConfigError, DEFAULT_PROFILE, load_client_config_profile},
    telemetry::metrics::TemporalMeter,
};

use crate::{
    config::{Setting, Source},
    telemetry::traces,
    temporal::codec::RemoteCodec,
};

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
    let (client, _) = connect_and_tell(None).await?;
    Ok(client)
}

/// Connects to it, and tells where it is. `meter` counts the requests.
pub async fn connect_and_tell(
    meter: Option<TemporalMeter>,
) -> Result<(Client, String), CannotConnect> {
    let (mut connection, client) = options()?;
    let client = traces::with_tracing(client);
    connection.connect_timeout.get_or_insert(CONNECT_TIMEOUT);
    connection.metrics_meter = meter;
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

/// What connection and client are made with, as the environment or the file says.
fn options() -> Result<(ConnectionOptions, ClientOptions), CannotConnect> {
    let configuration = CannotConnect::Configuration;
    let profile = load(None, false).map_err(configuration)?;
    let codec = codec(&profile).map_err(configuration)?;
    // Its error is not `Send`: keep the words.
    let (connection, client) =
        ClientOptions::load_from_config(LoadClientConfigProfileOptions::default())
            .map_err(|error| configuration(error.to_string()))?;
    let Some(codec) = codec else {
        return Ok((connection, client));
    };
    let converter = DataConverter::new(
        PayloadConverter::default(),
        DefaultFailureConverter::default(),
        codec,
    );
    let client = ClientOptions::new(client.namespace).data_converter(converter);
    Ok((connection, client.build()))
}

/// The codec server that payloads pass through. `None`: they travel as they are.
fn codec(profile: &ClientConfigProfile) -> Result<Option<RemoteCodec>, String> {
    let Some(codec) = &profile.codec else {
        return Ok(None);
    };
    let Some(endpoint) = codec.endpoint.as_deref().filter(|it| !it.is_empty()) else {
        return Ok(None);
    };
    let namespace = profile.namespace.as_deref().unwrap_or(DEFAULT_NAMESPACE);
    let codec = RemoteCodec::new(endpoint, codec.auth.clone(), namespace);
    codec
        .map(Some)
        .map_err(|problem| format!("{CODEC_ENDPOINT} {problem}"))
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
const API_KEY: &str = "TEMPORAL_API_KEY";
const ADDRESS: &str = "TEMPORAL_ADDRESS";
const NAMESPACE: &str = "TEMPORAL_NAMESPACE";
const DEFAULT_NAMESPACE: &str = "default";
const CODEC_ENDPOINT: &str = "TEMPORAL_CODEC_ENDPOINT";
const CODEC_AUTH: &str = "TEMPORAL_CODEC_AUTH";
/// Any of these makes TLS of a connection, the first one may also say no to it.
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

/// How Temporal is reached, as the SDK reads it: the profile of a file, and variables over it.
struct Reading<F> {
    /// Looks up the variables that the SDK has read.
    variable: F,
    file: Source,
    of_file: ClientConfigProfile,
    effective: ClientConfigProfile,
}

/// The settings by which Temporal is reached, without secrets. `variable` looks a variable of this
/// process up.
pub fn settings(variable: impl Fn(&str) -> Option<String>) -> Result<Vec<Setting>, String> {
    let given = |name| variable(name).filter(|value| !value.is_empty());
    let profile = given(PROFILE);
    let name = profile
        .clone()
        .unwrap_or_else(|| DEFAULT_PROFILE.to_owned());
    let file = given(FILE).unwrap_or_else(|| "temporal.toml".to_owned());
    let of_profile = match profile {
        Some(_) => Source::Variable(PROFILE.to_owned()),
        None => Source::Default,
    };
    let reading = Reading {
        of_file: load(profile.clone(), true)?,
        effective: load(profile, false)?,
        file: Source::Profile {
            file,
            profile: name.clone(),
        },
        variable,
    };
    codec(&reading.effective)?;
    Ok(vec![
        setting("profile", name, of_profile),
        reading.text("address", &[ADDRESS], "localhost:7233", |it| {
            it.address.clone()
        }),
        reading.text("namespace", &[NAMESPACE], DEFAULT_NAMESPACE, |it| {
            it.namespace.clone()
        }),
        reading.text("api_key", &[API_KEY], "(none)", |it| {
            it.api_key.as_ref().map(|_| "(a secret)".to_owned())
        }),
        reading.tls(),
        reading.text("codec.endpoint", &[CODEC_ENDPOINT], "(none)", |it| {
            it.codec.as_ref()?.endpoint.clone()
        }),
        reading.text("codec.auth", &[CODEC_AUTH], "(none)", |it| {
            let auth = it.codec.as_ref()?.auth.as_ref();
            auth.map(|_| "(a secret)".to_owned())
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

impl<F: Fn(&str) -> Option<String>> Reading<F> {
    fn text(
        &self,
        name: &str,
        variables: &[&str],
        default: &str,
        get: impl Fn(&ClientConfigProfile) -> Option<String>,
    ) -> Setting {
        let source = self.source(variables, get(&self.of_file).is_some());
        let value = get(&self.effective).unwrap_or_else(|| default.to_owned());
        setting(name, value, source)
    }

    /// A key turns it on by itself.
    fn tls(&self) -> Setting {
        let get = |profile: &ClientConfigProfile| {
            let tls = profile.tls.as_ref()?;
            Some(
                if tls.disabled == Some(true) {
                    "off"
                } else {
                    "on"
                }
                .to_owned(),
            )
        };
        if self.effective.tls.is_none() && self.effective.api_key.is_some() {
            let source = self.source(&[API_KEY], true);
            return setting("tls", "on, because of the API key".to_owned(), source);
        }
        self.text("tls", &TLS, "off", get)
    }

    fn source(&self, variables: &[&str], is_in_file: bool) -> Source {
        let set = variables
            .iter()
            .find(|name| (self.variable)(name).is_some());
        match set {
            Some(name) => Source::Variable((*name).to_owned()),
            None if is_in_file => self.file.clone(),
            None => Source::Default,
        }
    }
}

fn load(profile: Option<String>, without_variables: bool) -> Result<ClientConfigProfile, String> {
    let options = LoadClientConfigProfileOptions::builder()
        .maybe_config_file_profile(profile)
        .disable_env(without_variables)
        .build();
    let profile = load_client_config_profile(options, None);
    profile.map_err(|error: ConfigError| without_excerpt(&error.to_string()))
}

/// What is wrong with a TOML file, without the lines of it that are shown: keys may stand there.
fn without_excerpt(words: &str) -> String {
    let is_excerpt = |line: &&str| {
        let number = line
            .trim_start()
            .trim_start_matches(|it: char| it.is_ascii_digit());
        number.trim_start().starts_with('|')
    };
    let lines = words.lines().filter(|line| !is_excerpt(line));
    let lines: Vec<_> = lines.map(str::trim).filter(|it| !it.is_empty()).collect();
    lines.join(": ")
}
