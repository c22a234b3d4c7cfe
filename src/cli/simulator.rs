//! `seedance-archiver simulator`.

use std::{net::SocketAddr, process::ExitCode, time::Duration};

use anyhow::Context;
use seedance_archiver_simulator::Simulator;

use super::signals::Stop;
use crate::telemetry;

/// Serve a Seedance API on this machine: tasks, signed URLs and real MP4s
///
/// A task ends as its prompt says, e.g. `a kite --simulate ending=failed,queued=1,running=4`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Address to listen on.
    #[arg(long, default_value = "127.0.0.1:8240")]
    address: SocketAddr,
    /// API key that is accepted.
    #[arg(long, default_value = "simulator-key")]
    api_key: String,
    /// Seconds that a task is queued.
    #[arg(long, default_value_t = 2.0)]
    queued: f64,
    /// Seconds that a task runs.
    #[arg(long, default_value_t = 8.0)]
    running: f64,
    /// Seconds that a video URL lives.
    #[arg(long, default_value_t = 86_400.0)]
    url_lifetime: f64,
}

/// Longest time that an option takes.
const LONGEST: Duration = Duration::from_secs(366 * 24 * 60 * 60);

pub(super) async fn run(args: Args, stop: &Stop) -> anyhow::Result<ExitCode> {
    telemetry::init("info");
    let seconds = |name: &str, value: f64| {
        Duration::try_from_secs_f64(value)
            .ok()
            .filter(|time| *time <= LONGEST)
            .with_context(|| format!("--{name} {value}: give a time from 0 to a year, in seconds"))
    };
    let simulator = Simulator::builder()
        .address(args.address)
        .api_key(args.api_key)
        .queued(seconds("queued", args.queued)?)
        .running(seconds("running", args.running)?)
        .url_lifetime(seconds("url-lifetime", args.url_lifetime)?)
        .start()
        .await
        .with_context(|| format!("cannot listen on {}", args.address))?;
    eprintln!("Seedance simulator: {}", simulator.base_url());
    eprintln!("To use it, set");
    eprintln!("  SEEDANCE_BASE_URL={}", simulator.base_url());
    eprintln!("  SEEDANCE_API_KEY={}", simulator.api_key());
    stop.asked().await;
    Ok(ExitCode::SUCCESS)
}
