//! `seedance-archiver health`.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    process::ExitCode,
    time::Duration,
};

use anyhow::{Context, anyhow, bail, ensure};

use super::session;
use crate::{config, http, telemetry};

/// Timeout of the request, shorter than the period of a container probe.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(3);

/// Check worker health (for container probes)
///
/// Requests /livez at SEEDANCE_ADMIN_ADDRESS, or /readyz with --ready. Exits with 0 if the worker is
/// healthy, and with 1 if it is not or cannot be reached.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  SEEDANCE_ADMIN_ADDRESS=127.0.0.1:9464 seedance-archiver health
  seedance-archiver health --ready          fails while the worker starts or drains")]
pub(super) struct Args {
    /// Check readiness: whether the worker polls its task queues.
    #[arg(long)]
    ready: bool,
}

pub(super) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    telemetry::init("error");
    let address = config::admin_address(session::variable)?.context(
        "SEEDANCE_ADMIN_ADDRESS is not set; set it to the address where the worker serves health checks",
    )?;
    let path = if args.ready { "readyz" } else { "livez" };
    let url = format!("http://{}/{path}", reachable(address));
    let http = http::client().map_err(|error| anyhow!(http::describe(error)))?;
    let request = async {
        let response = http.get(&url).timeout(REQUEST_TIMEOUT).send().await?;
        Ok::<_, reqwest::Error>((response.status(), response.text().await?))
    };
    match request.await {
        Ok((status, text)) => {
            ensure!(status.is_success(), "the worker is {}", text.trim());
            outln!("{}", text.trim());
            Ok(ExitCode::SUCCESS)
        }
        Err(error) => bail!(
            "cannot reach the worker at {url}: {}",
            http::describe(error)
        ),
    }
}

/// Returns the address to connect to. A worker that listens on all addresses is reached over loopback.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}
