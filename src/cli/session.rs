//! What commands that follow lifecycles need: a Temporal to talk to, and, where there is none, one of
//! their own with a worker in this process.

use std::{path::Path, time::Duration};

use anyhow::{Context, anyhow};
use indicatif::{ProgressBar, ProgressStyle};
use reqwest::Url;
use temporalio_client::Client;
use temporalio_sdk::Runtime;

use crate::{
    config::Config,
    dev_server::{self, DevServer},
    http, seedance,
    temporal::connection,
    worker::Worker,
};

/// Connects to the Temporal that the environment or `temporal.toml` names.
pub(super) async fn connect() -> anyhow::Result<Client> {
    Ok(connection::connect().await?)
}

/// A client of the task API.
pub(super) fn seedance() -> anyhow::Result<seedance::Client> {
    let http = http::client().map_err(http::describe);
    let http = http.map_err(|error| anyhow!("cannot make the HTTP client: {error}"))?;
    Ok(seedance::Client::new(http))
}

/// A line that says what takes its time, until it is cleared.
pub(super) fn step(words: &str) -> anyhow::Result<ProgressBar> {
    let line = ProgressBar::no_length()
        .with_style(ProgressStyle::with_template("{spinner} {msg} ({elapsed})")?);
    line.enable_steady_tick(Duration::from_millis(120));
    show_step(&line, words);
    Ok(line)
}

/// Says what takes its time now.
pub(super) fn show_step(line: &ProgressBar, words: &str) {
    if line.is_hidden() {
        eprintln!("{words}");
    }
    line.set_message(words.to_owned());
}

/// Starts a dev server, with a line that says what takes its time.
pub(super) async fn start_dev_server() -> anyhow::Result<DevServer> {
    let line = step("looking for a Temporal server")?;
    let started = dev_server::start(true, &|step| show_step(&line, step)).await;
    line.finish_and_clear();
    Ok(started?)
}

/// Runs `work` beside a worker in this process.
pub(super) async fn with_worker<T>(
    client: &Client,
    config: &Config,
    work: impl Future<Output = anyhow::Result<T>>,
) -> anyhow::Result<T> {
    let runtime = Runtime::from_current_tokio(Default::default())
        .context("cannot start the Temporal runtime")?;
    let worker = Worker::new(&runtime, client, config).await?;
    worker.run_during(work).await?
}

/// A variable of the environment. One that is not Unicode counts as absent.
pub(super) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// `./seedance-archive`, as an archive URL.
pub(super) fn local_archive() -> anyhow::Result<Url> {
    let path = std::env::current_dir()
        .context("cannot tell the current directory")?
        .join(Path::new("seedance-archive"));
    Url::from_directory_path(&path).map_err(|()| anyhow!("{} is no URL", path.display()))
}
