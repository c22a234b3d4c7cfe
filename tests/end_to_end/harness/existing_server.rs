//! A Temporal server that already runs, which the environment of the tests names.
//!
//! The variables are not Temporal's own: a shell may have `TEMPORAL_ADDRESS` set to a server in production.

use anyhow::{Context, bail, ensure};
use seedance_archiver::temporal::search_attributes;
use temporalio_client::{Client, ClientOptions, Connection, ConnectionOptions};

use super::temporal_server::Server;

/// Variable with `host:port` of the server.
const ADDRESS: &str = "TEST_TEMPORAL_ADDRESS";
/// Variable with the namespace of the tests.
const NAMESPACE: &str = "TEST_TEMPORAL_NAMESPACE";
/// Variable with the URL of the server's Web UI.
const UI: &str = "TEST_TEMPORAL_UI";

/// Connects to the server that the environment names. Returns nothing if it names none.
pub(crate) async fn connect() -> anyhow::Result<Option<Server>> {
    let namespace = variable(NAMESPACE);
    let Some(address) = variable(ADDRESS) else {
        ensure!(namespace.is_none(), "{NAMESPACE} is set without {ADDRESS}");
        return Ok(None);
    };
    let namespace = namespace.with_context(|| format!("{ADDRESS} is set without {NAMESPACE}"))?;
    let client = connect_to(&address, namespace).await;
    let client = client.with_context(|| format!("no usable Temporal server at {address}"))?;
    let missing = search_attributes::missing(&client).await?;
    if !missing.is_empty() {
        bail!(
            "the namespace lacks search attributes; fix: {}",
            search_attributes::command(&missing)
        );
    }
    Ok(Some(Server::new(client, address, variable(UI))?))
}

/// Returns whether the tests' server has a Web UI. The dev server that the tests start has one.
pub(crate) fn has_web_ui() -> bool {
    variable(ADDRESS).is_none() || variable(UI).is_some()
}

/// Connects to a namespace of the server at an address.
pub(crate) async fn connect_to(address: &str, namespace: String) -> anyhow::Result<Client> {
    let target: reqwest::Url = format!("http://{address}").parse()?;
    let connection = Connection::connect(ConnectionOptions::new(target).build()).await?;
    Ok(Client::new(
        connection,
        ClientOptions::new(namespace).build(),
    )?)
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
