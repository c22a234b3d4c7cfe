//! `seedance-archiver health`.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    process::ExitCode,
    time::Duration,
};

use anyhow::{Context, anyhow, bail, ensure};

use super::session;
use crate::{config, http, telemetry};

/// Longest time for an answer: probes are asked often.
const PATIENCE: Duration = Duration::from_secs(3);

/// Ask the worker of this container whether it lives, for probes
///
/// Asks /livez at SEEDANCE_ADMIN_ADDRESS, or /readyz with --ready. Exits 0 where the answer is yes, 1 where
/// it is no or there is none.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  SEEDANCE_ADMIN_ADDRESS=127.0.0.1:9464 seedance-archiver health
  seedance-archiver health --ready          whether it polls; not while it starts or drains")]
pub(super) struct Args {
    /// Ask whether it polls.
    #[arg(long)]
    ready: bool,
}

pub(super) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    telemetry::init("error");
    let address = config::admin_address(session::variable)?;
    let address =
        address.context("SEEDANCE_ADMIN_ADDRESS is not set, so there is nobody to ask")?;
    let path = if args.ready { "readyz" } else { "livez" };
    let url = format!("http://{}/{path}", from_here(address));
    let http = http::client().map_err(|error| anyhow!(http::describe(error)))?;
    let answer = async {
        let answer = http.get(&url).timeout(PATIENCE).send().await?;
        Ok::<_, reqwest::Error>((answer.status(), answer.text().await?))
    };
    match answer.await {
        Ok((status, text)) => {
            ensure!(status.is_success(), "the worker is {}", text.trim());
            println!("{}", text.trim());
            Ok(ExitCode::SUCCESS)
        }
        Err(error) => bail!("no answer from {url}: {}", http::describe(error)),
    }
}

/// Who listens everywhere is asked here.
fn from_here(address: SocketAddr) -> SocketAddr {
    let here = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(here, address.port())
}
