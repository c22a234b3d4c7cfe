//! The connection to the Temporal server that the environment or `temporal.toml` names.

mod profile;
mod settings;

pub use settings::settings;

use std::time::Duration;

use temporalio_client::{
    Client, ClientOptions, Connection, ConnectionOptions, errors::ClientConnectError,
};
use temporalio_common::{
    data_converters::{DataConverter, DefaultFailureConverter, PayloadConverter},
    telemetry::metrics::TemporalMeter,
};

use crate::{telemetry::traces, temporal::error_text};

/// Timeout of connecting, unless the configuration sets one.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Why no client could be created.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The environment or `temporal.toml` is invalid.
    #[error("invalid Temporal configuration: {0}")]
    Configuration(String),
    /// There is no usable Temporal server at the address.
    #[error(
        "cannot reach Temporal at `{address}`: {error}; set TEMPORAL_ADDRESS, or start a server with \
         `temporal server start-dev`"
    )]
    Unreachable {
        /// Address of the server.
        address: String,
        /// The cause.
        error: String,
    },
    /// The SDK rejected the client's options.
    #[error("cannot create a Temporal client: {0}")]
    Client(String),
}

/// Connects to the server.
///
/// # Errors
///
/// Returns an error if the configuration is invalid or the server is unreachable.
pub async fn connect() -> Result<Client, ConnectError> {
    let (client, _) = connect_with(None).await?;
    Ok(client)
}

/// Connects to the server, and returns the client and the server's address. `meter` counts the requests.
///
/// # Errors
///
/// Returns an error if the configuration is invalid or the server is unreachable.
pub async fn connect_with(meter: Option<TemporalMeter>) -> Result<(Client, String), ConnectError> {
    let (mut connection, client) = options().map_err(ConnectError::Configuration)?;
    let client = traces::with_tracing(client);
    connection.connect_timeout.get_or_insert(CONNECT_TIMEOUT);
    connection.metrics_meter = meter;
    let address = connection.target.to_string();
    let connection =
        Connection::connect(connection)
            .await
            .map_err(|error| ConnectError::Unreachable {
                address: address.clone(),
                error: connect_error(&error),
            })?;
    let client =
        Client::new(connection, client).map_err(|error| ConnectError::Client(error.to_string()))?;
    Ok((client, address))
}

fn connect_error(error: &ClientConnectError) -> String {
    match error {
        // Connected, but the first call failed: the status is not a source of this error.
        ClientConnectError::SystemInfoCallError(status) => error_text::innermost(status),
        error => error_text::innermost(error),
    }
}

/// Reads the options of the connection and the client from the environment and `temporal.toml`.
fn options() -> Result<(ConnectionOptions, ClientOptions), String> {
    let profile = profile::load(None, true)?;
    profile::check_route(&profile)?;
    let codec = profile::codec(&profile)?;
    let namespace = profile.namespace.clone();
    let namespace = namespace.unwrap_or_else(|| profile::DEFAULT_NAMESPACE.to_owned());
    // The SDK's error is not `Send`.
    let connection = ConnectionOptions::try_from(profile).map_err(|error| error.to_string())?;
    let client = ClientOptions::new(namespace);
    let Some(codec) = codec else {
        return Ok((connection, client.build()));
    };
    let converter = DataConverter::new(
        PayloadConverter::default(),
        DefaultFailureConverter::default(),
        codec,
    );
    Ok((connection, client.data_converter(converter).build()))
}
