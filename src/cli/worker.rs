//! `seedance-archiver worker`.

use std::{future::pending, net::SocketAddr, process::ExitCode, str::FromStr, time::Instant};

use anyhow::{Context, bail};
use temporalio_client::{
    Client,
    tonic::{Code, Status},
};

use super::{
    exit_code, session,
    signals::{Interrupted, Stop},
};
use crate::{
    checkup::{Finding, FindingState, archives, namespace},
    config::{self, Config, InvalidConfig, LoadedConfig, LogFormat, Queues},
    ports::{
        admin,
        listener::{Listener, Listening},
    },
    telemetry::{self, metrics::Exposition, traces},
    temporal::{connection, open_lifecycles, sweeps::auto_archive},
    worker::Worker,
};

/// Serve the task queues: run lifecycles, ask about tasks, archive videos
///
/// Reads SEEDANCE_ARCHIVE_URL and either SEEDANCE_ACCOUNTS_FILE or SEEDANCE_API_KEY (or
/// SEEDANCE_API_KEY_FILE) and SEEDANCE_BASE_URL, SEEDANCE_INGRESS_ADDRESS for callbacks,
/// SEEDANCE_ADMIN_ADDRESS for health and metrics, the store's own environment (AWS_…), and Temporal's own
/// (TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, TEMPORAL_API_KEY, temporal.toml); docs/operations.md has the rest.
/// Runs until Ctrl-C or SIGTERM, then lets what it has begun go on for SEEDANCE_GRACE_PERIOD. A second signal
/// ends it at once.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  SEEDANCE_API_KEY_FILE=/run/secrets/key SEEDANCE_ARCHIVE_URL=s3://videos seedance-archiver worker
  SEEDANCE_ACCOUNTS_FILE=accounts.toml SEEDANCE_ARCHIVE_URL=file:///srv/videos seedance-archiver worker
  SEEDANCE_ADMIN_ADDRESS=0.0.0.0:9464 seedance-archiver worker --queues transfer
  RUST_LOG=info,seedance_archiver=debug seedance-archiver worker")]
pub(super) struct Args {
    /// Task queues that are served: `query`, `transfer` or both. SEEDANCE_QUEUES says it too.
    #[arg(long, value_name = "QUEUES", value_parser = Queues::from_str)]
    queues: Option<Queues>,
}

/// The namespace is not there, or does not let this client in.
#[derive(Debug, thiserror::Error)]
#[error("{}", told(.0))]
pub(super) struct NoNamespace(Finding);

fn told(finding: &Finding) -> String {
    let fix = finding.fix.as_deref().unwrap_or_default();
    format!("{} {}: {fix}", finding.name, finding.found)
}

pub(super) async fn run(args: Args, stop: &Stop) -> anyhow::Result<ExitCode> {
    let format = telemetry::init("info");
    match (work(args, stop).await, format) {
        // Whoever reads the log as JSON is to find the end of it there.
        (Err(error), LogFormat::Json) => {
            tracing::error!(error = format!("{error:#}"), "ended");
            Ok(exit_code(&error))
        }
        (ended, _) => ended,
    }
}

async fn work(args: Args, stop: &Stop) -> anyhow::Result<ExitCode> {
    tracing::info!(version = env!("CARGO_PKG_VERSION"), "starting");
    let loaded = LoadedConfig::load(|name| variable(&args, name), None);
    let config = configuration(&loaded)?;
    let (exposition, runtime) = Exposition::start()?;
    let client = stop.unless_asked(connect(&exposition)).await?;
    let worker = Worker::new(&runtime, &client, &config).await?;
    stop.unless_asked(check_archives(&loaded)).await?;
    if let Some(address) = worker.ingress_address() {
        tracing::info!(%address, "listening for callbacks");
    }
    let admin = match config.worker.admin_address {
        Some(address) => Some(listen(address, &worker, exposition).await?),
        None => None,
    };
    let served = serve(worker, &client, &config, stop).await;
    // Whoever asked twice waits for nothing more.
    if !matches!(&served, Err(error) if error.is::<Interrupted>()) {
        if let Some(admin) = admin {
            admin.stop().await;
        }
        traces::end();
    }
    served.map(|()| ExitCode::SUCCESS)
}

/// The command line goes before the environment.
fn variable(args: &Args, name: &str) -> Option<String> {
    match args.queues {
        Some(queues) if name == config::QUEUES => Some(queues.to_string()),
        _ => session::variable(name),
    }
}

/// What is wrong is told at once, whoever it belongs to.
fn configuration(loaded: &LoadedConfig) -> Result<Config, InvalidConfig> {
    let of_temporal = connection::settings(session::variable);
    let of_traces = traces::start(session::variable);
    match (loaded.config(), of_temporal, of_traces) {
        (Ok(config), Ok(of_temporal), Ok(())) => {
            let settings = of_temporal
                .into_iter()
                .chain(loaded.settings.iter().cloned());
            let settings: Vec<_> = settings
                .map(|it| format!("{}={}", it.name, it.value))
                .collect();
            tracing::info!(settings = settings.join("; "), "configured");
            Ok(config)
        }
        (config, of_temporal, of_traces) => {
            let mut invalid = config.err().unwrap_or_default();
            let fault = of_temporal.err();
            invalid.0.extend(
                fault.map(|fault| format!("the Temporal configuration cannot be used: {fault}")),
            );
            invalid.0.extend(of_traces.err());
            Err(invalid)
        }
    }
}

/// Connects to a namespace that is there.
async fn connect(exposition: &Exposition) -> anyhow::Result<Client> {
    let (client, address) = connection::connect_and_tell(exposition.meter()).await?;
    let looked_up = namespace::describe(&client).await;
    match looked_up.as_ref().map_err(Status::code) {
        Ok(()) => {
            let namespace = &client.options().namespace;
            tracing::info!(address, namespace, "connected to Temporal");
            Ok(client)
        }
        Err(Code::NotFound | Code::Unauthenticated | Code::PermissionDenied) => {
            Err(NoNamespace(namespace::finding(&client, looked_up)).into())
        }
        // It may be there in a moment.
        Err(_) => bail!("{}", told(&namespace::finding(&client, looked_up))),
    }
}

/// Tells whether transfers will succeed. Where they will not, they wait, and whoever reads this mends it.
async fn check_archives(loaded: &LoadedConfig) -> anyhow::Result<()> {
    if !loaded.worker.queues.transfer {
        return Ok(());
    }
    for finding in archives::check(loaded).await {
        let Finding {
            name, found, fix, ..
        } = finding;
        match finding.state {
            FindingState::Failed => tracing::error!(
                what = name,
                error = found,
                fix,
                "transfers will wait until this is mended"
            ),
            FindingState::Warning => tracing::warn!(what = name, found, fix, "look at this"),
            FindingState::Ok | FindingState::Created => {
                tracing::info!(what = name, found, "checked")
            }
        }
    }
    Ok(())
}

async fn listen(
    address: SocketAddr,
    worker: &Worker,
    exposition: Exposition,
) -> anyhow::Result<Listening> {
    let routes = admin::routes(worker.health().clone(), exposition);
    let listener = Listener::bind(address, routes).await;
    let listener =
        listener.with_context(|| format!("cannot listen on {address}, for health and metrics"))?;
    let address = listener.address()?;
    tracing::info!(%address, "listening for health and metrics");
    Ok(listener.start())
}

/// Polls until somebody asks to stop, and tells how that went.
async fn serve(
    worker: Worker,
    client: &Client,
    config: &Config,
    stop: &Stop,
) -> anyhow::Result<()> {
    let queues = config.worker.queues;
    let (accounts, task_queue) = (&config.accounts, &config.task_queue);
    tracing::info!(task_queue, %queues, archive = %config.archive_url, "polling");
    let asked = async {
        stop.asked().await;
        let grace_period_s = config.worker.grace_period.0.as_secs_f64();
        tracing::info!(grace_period_s, "asked to stop: draining");
        Instant::now()
    };
    let (tell, told) = tokio::sync::oneshot::channel();
    let drain = async move {
        // An error means that the worker has ended by itself.
        let _ = tell.send(asked.await);
    };
    let sweeps = async {
        match queues.query {
            true => auto_archive::keep(client, accounts, task_queue, auto_archive::LOOK).await,
            false => pending().await,
        }
    };
    // Where nobody reads metrics, the server need not be asked for them.
    let looks = async {
        match queues.query && config.worker.admin_address.is_some() {
            true => open_lifecycles::measure(client, accounts).await,
            false => pending().await,
        }
    };
    tokio::select! {
        ended = worker.run(drain) => ended?,
        never = sweeps => match never {},
        never = looks => match never {},
        () = stop.asked_again() => {
            tracing::warn!("asked again: stopped without draining; others go on with what was begun");
            return Err(Interrupted.into());
        }
    }
    let drained_s = told
        .await
        .map_or(0.0, |since| since.elapsed().as_secs_f64());
    tracing::info!(drained_s, "stopped");
    Ok(())
}
