//! `seedance-archiver worker`.

use std::process::ExitCode;

use anyhow::Context;
use temporalio_sdk::Runtime;

use super::{session, signals::Stop};
use crate::{config::Config, sweeps::auto_archive, telemetry, worker::Worker};

/// Serve the task queues: run lifecycles, ask about tasks, archive videos
///
/// Reads SEEDANCE_ARCHIVE_URL and either SEEDANCE_ACCOUNTS_FILE or SEEDANCE_API_KEY (or
/// SEEDANCE_API_KEY_FILE) and SEEDANCE_BASE_URL, SEEDANCE_INGRESS_ADDRESS for callbacks, the store's own
/// environment (AWS_…), and Temporal's own (TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, TEMPORAL_API_KEY,
/// temporal.toml). Runs until Ctrl-C or SIGTERM, then lets transfers end.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  SEEDANCE_API_KEY_FILE=/run/secrets/key SEEDANCE_ARCHIVE_URL=s3://videos seedance-archiver worker
  SEEDANCE_ACCOUNTS_FILE=accounts.toml SEEDANCE_ARCHIVE_URL=file:///srv/videos seedance-archiver worker
  RUST_LOG=info,seedance_archiver=debug seedance-archiver worker")]
pub(super) struct Args {}

pub(super) async fn run(_: Args, stop: &Stop) -> anyhow::Result<ExitCode> {
    telemetry::init("info");
    let config = Config::from_environment(session::variable, None)?;
    let runtime = Runtime::from_current_tokio(Default::default())
        .context("cannot start the Temporal runtime")?;
    let client = stop.unless_asked(session::connect()).await?;
    let worker = Worker::new(&runtime, &client, &config).await?;
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        namespace = client.options().namespace,
        task_queue = config.task_queue,
        archive = %config.archive_url,
        "polling"
    );
    let (accounts, task_queue) = (&config.accounts, &config.task_queue);
    tokio::select! {
        ended = worker.run(stop.asked()) => ended?,
        never = auto_archive::keep(&client, accounts, task_queue, auto_archive::LOOK) => match never {},
    }
    tracing::info!("stopped");
    Ok(ExitCode::SUCCESS)
}
