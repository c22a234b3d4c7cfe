//! The environment of commands: variables, clients, and a local Temporal server with a worker in this process.

use std::time::Duration;

use anyhow::{Context, anyhow};
use reqwest::Url;
use temporalio_client::Client;
use temporalio_sdk::Runtime;

use super::progress::Spinner;
use crate::{
    config::{Config, GracePeriod},
    dev_server::{self, DevServer},
    http, seedance,
    temporal::{connection, server_version},
    worker::Worker,
};

/// Returns a variable of the environment. A value that is not Unicode counts as unset.
pub(super) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Connects to the Temporal server that the environment or `temporal.toml` names.
pub(super) async fn connect() -> anyhow::Result<Client> {
    Ok(connection::connect().await?)
}

/// Returns a client of the Seedance API.
pub(super) fn seedance() -> anyhow::Result<seedance::Client> {
    let http = http::client().map_err(http::describe);
    let http = http.map_err(|error| anyhow!("cannot create the HTTP client: {error}"))?;
    Ok(seedance::Client::new(http))
}

/// Starts a Temporal dev server, with a spinner that shows the current step, and prints its version.
pub(super) async fn start_dev_server() -> anyhow::Result<DevServer> {
    let spinner = Spinner::start("locating the Temporal CLI");
    let started = dev_server::start(true, &|step| spinner.set_message(step)).await;
    spinner.clear();
    let server = started?;
    let version = server_version(&server.client)
        .await
        .context("cannot query the version of the Temporal server")?;
    errln!("Temporal server {version} at {}", server.address);
    Ok(server)
}

/// Grace period of a worker whose server ends with it. What it still does then, such as to watch an account, has no end of
/// its own, and no other worker continues it.
const GRACE_PERIOD: GracePeriod = GracePeriod(Duration::from_secs(1));

/// Returns the configuration of a worker in this process, which archives into `./seedance-archive` unless another archive is
/// set.
pub(super) fn private_worker() -> anyhow::Result<Config> {
    Ok(Config::of_private_worker(variable, local_archive()?)?)
}

/// Runs `work` while a worker runs in this process.
pub(super) async fn with_worker<T>(
    client: &Client,
    config: &Config,
    work: impl Future<Output = anyhow::Result<T>>,
) -> anyhow::Result<T> {
    let runtime = Runtime::from_current_tokio(Default::default())
        .context("cannot start the Temporal runtime")?;
    let mut config = config.clone();
    config.worker.grace_period = GRACE_PERIOD;
    let worker = Worker::new(&runtime, client, &config).await?;
    worker.run_during(work).await?
}

/// Returns the archive URL of `./seedance-archive`.
pub(super) fn local_archive() -> anyhow::Result<Url> {
    let path = std::env::current_dir()
        .context("cannot determine the current directory")?
        .join("seedance-archive");
    Url::from_directory_path(&path)
        .map_err(|()| anyhow!("cannot convert the path `{}` to a URL", path.display()))
}
