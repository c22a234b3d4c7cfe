//! `seedance-archiver simulator`.

use std::{net::SocketAddr, process::ExitCode, time::Duration};

use anyhow::Context;
use seedance_archiver_simulator::{Simulator, seconds};

use super::shutdown::Shutdown;
use crate::telemetry;

/// Run a local Seedance API with tasks, signed URLs and real MP4 files
///
/// The prompt of a task can script it, e.g. `a kite --simulate ending=failed,queued=1,running=4`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  seedance-archiver simulator                             prints the variables to set
  seedance-archiver simulator --queued 0 --running 1      tasks that succeed after a second
  seedance-archiver simulator --address 0.0.0.0:8240 --api-key my-key")]
pub(super) struct Args {
    /// Address to listen on.
    #[arg(long, default_value = "127.0.0.1:8240")]
    address: SocketAddr,
    /// API key to accept.
    #[arg(long, default_value = "simulator-key")]
    api_key: String,
    /// Seconds that a task is queued.
    #[arg(long, default_value = "2", value_parser = seconds)]
    queued: Duration,
    /// Seconds that a task runs.
    #[arg(long, default_value = "8", value_parser = seconds)]
    running: Duration,
    /// Seconds until a video URL expires.
    #[arg(long, default_value = "86400", value_parser = seconds)]
    url_lifetime: Duration,
}

pub(super) async fn run(args: Args, shutdown: &Shutdown) -> anyhow::Result<ExitCode> {
    telemetry::init("info");
    let simulator = Simulator::builder()
        .address(args.address)
        .api_key(args.api_key)
        .queued(args.queued)
        .running(args.running)
        .url_lifetime(args.url_lifetime)
        .start()
        .await
        .with_context(|| format!("cannot listen on {}", args.address))?;
    errln!("Seedance simulator: {}", simulator.base_url());
    errln!("To use it, set");
    errln!("  SEEDANCE_BASE_URL={}", simulator.base_url());
    errln!("  SEEDANCE_API_KEY={}", simulator.api_key());
    shutdown.requested().await;
    Ok(ExitCode::SUCCESS)
}
