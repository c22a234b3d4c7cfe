//! `seedance-archiver worker`.

mod startup;

use std::{future::pending, net::SocketAddr, process::ExitCode, str::FromStr, time::Instant};

use anyhow::Context;
use temporalio_client::Client;
use tokio::sync::oneshot;

use super::{
    exit_code, session,
    shutdown::{Interrupted, Shutdown},
};
use crate::{
    config::{self, Config, LoadedConfig, LogFormat, Queues},
    ports::{
        admin,
        listener::{Limits, Listener, Server},
    },
    telemetry::{self, exporter::MetricsExporter, traces},
    temporal::{audits::freshness, sweeps::auto_archive, visibility},
    worker::Worker,
};

/// Run a worker: execute lifecycles, poll tasks and archive videos
///
/// Runs until Ctrl-C or SIGTERM, then gives open transfers up to SEEDANCE_GRACE_PERIOD to finish; a second
/// signal stops the worker immediately. Reads SEEDANCE_ARCHIVE_URL; the accounts from
/// SEEDANCE_ACCOUNTS_FILE, or from SEEDANCE_API_KEY (or SEEDANCE_API_KEY_FILE) and SEEDANCE_BASE_URL;
/// SEEDANCE_INGRESS_ADDRESS for callbacks; SEEDANCE_ADMIN_ADDRESS for health checks and metrics; the
/// store's variables (AWS_…); and Temporal's (TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, TEMPORAL_API_KEY,
/// temporal.toml). docs/configuration.md lists them all.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  SEEDANCE_API_KEY_FILE=/run/secrets/key SEEDANCE_ARCHIVE_URL=s3://videos seedance-archiver worker
  SEEDANCE_ACCOUNTS_FILE=accounts.toml SEEDANCE_ARCHIVE_URL=file:///srv/videos seedance-archiver worker
  SEEDANCE_ADMIN_ADDRESS=0.0.0.0:9464 seedance-archiver worker --queues transfer
  RUST_LOG=info,seedance_archiver=debug seedance-archiver worker")]
pub(super) struct Args {
    /// Task queues to serve: `query`, `transfer` or both. Overrides SEEDANCE_QUEUES.
    #[arg(long, value_name = "QUEUES", value_parser = Queues::from_str)]
    queues: Option<Queues>,
}

pub(super) async fn run(args: Args, shutdown: &Shutdown) -> anyhow::Result<ExitCode> {
    // The SDK logs each retry of each poll. This worker says itself what it waits for.
    let format = telemetry::init("info,temporalio_client::retry=off");
    match (run_worker(args, shutdown).await, format) {
        // A reader of the JSON log must find the error in it.
        (Err(error), LogFormat::Json) => {
            tracing::error!(error = format!("{error:#}"), "worker failed");
            Ok(exit_code::from_error(&error))
        }
        (result, _) => result,
    }
}

async fn run_worker(args: Args, shutdown: &Shutdown) -> anyhow::Result<ExitCode> {
    tracing::info!(version = env!("CARGO_PKG_VERSION"), "starting");
    let loaded = LoadedConfig::load(|name| variable(&args, name), None);
    let config = startup::configure(&loaded)?;
    let (exporter, runtime) = MetricsExporter::start()?;
    let connect = startup::connect(&exporter);
    let client = shutdown.run_until_requested(connect).await?;
    let worker = Worker::new(&runtime, &client, &config).await?;
    let check_archives = startup::check_archives(&loaded);
    shutdown.run_until_requested(check_archives).await?;
    if let Some(address) = worker.ingress_address() {
        tracing::info!(%address, "listening for callbacks");
    }
    let admin = match config.worker.admin_address {
        Some(address) => Some(listen(address, &worker, exporter).await?),
        None => None,
    };
    let result = serve(worker, &client, &config, shutdown).await;
    // After a second signal, exit without waiting.
    if !matches!(&result, Err(error) if error.is::<Interrupted>()) {
        if let Some(admin) = admin {
            admin.stop().await;
        }
        traces::stop();
    }
    result.map(|()| ExitCode::SUCCESS)
}

/// Returns a variable of the environment, unless an argument overrides it.
fn variable(args: &Args, name: &str) -> Option<String> {
    match args.queues {
        Some(queues) if name == config::QUEUES => Some(queues.to_string()),
        _ => session::variable(name),
    }
}

/// Serves health checks and metrics.
async fn listen(
    address: SocketAddr,
    worker: &Worker<'_>,
    exporter: MetricsExporter,
) -> anyhow::Result<Server> {
    let routes = admin::routes(worker.health().clone(), exporter);
    let listener = Listener::bind(address, routes, Limits::ADMIN).await;
    let listener = listener
        .with_context(|| format!("cannot listen on {address} for health checks and metrics"))?;
    let address = listener.address()?;
    tracing::info!(%address, "listening for health checks and metrics");
    Ok(listener.start())
}

/// Polls the task queues until a shutdown is requested, then drains.
///
/// # Errors
///
/// Returns an error if the worker fails, or [`Interrupted`] if a second signal cuts the drain short.
async fn serve(
    worker: Worker<'_>,
    client: &Client,
    config: &Config,
    shutdown: &Shutdown,
) -> anyhow::Result<()> {
    let queues = config.worker.queues;
    let (accounts, task_queue) = (&config.accounts, &config.task_queue);
    tracing::info!(task_queue, %queues, archive = %config.archive_url, "polling");
    let (drain_started, drain_started_at) = oneshot::channel();
    let drain = async move {
        shutdown.requested().await;
        let grace_period_s = config.worker.grace_period.0.as_secs_f64();
        tracing::info!(grace_period_s, "shutdown requested: draining");
        // An error means that the worker stopped by itself.
        let _ = drain_started.send(Instant::now());
    };
    let keep_schedules = async {
        match queues.query {
            true => {
                auto_archive::maintain_schedules(
                    client,
                    accounts,
                    task_queue,
                    auto_archive::CHECK_INTERVAL,
                )
                .await
            }
            false => pending().await,
        }
    };
    // Only for metrics.
    let read_temporal = async {
        match queues.query && config.worker.admin_address.is_some() {
            true => {
                let lifecycles = visibility::update_metrics(client, accounts);
                futures::join!(lifecycles, freshness::update_metrics(client)).0
            }
            false => pending().await,
        }
    };
    tokio::select! {
        result = worker.run(drain) => result?,
        never = keep_schedules => match never {},
        never = read_temporal => match never {},
        () = shutdown.forced() => {
            tracing::warn!("second shutdown signal: stopped without draining");
            return Err(Interrupted.into());
        }
    }
    let drained_s = drain_started_at
        .await
        .map_or(0.0, |started_at| started_at.elapsed().as_secs_f64());
    tracing::info!(drained_s, "stopped");
    Ok(())
}
