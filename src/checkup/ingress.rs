//! Checks the listen address for callbacks.

use std::io::ErrorKind;

use temporalio_client::Client;
use tokio::net::TcpListener;

use super::{CheckResult, server};
use crate::config::LoadedConfig;

/// Checks that a worker on this machine can listen, or already does. Returns `None` if callbacks are not accepted.
pub async fn check(config: &LoadedConfig, client: Option<&Client>) -> Option<CheckResult> {
    let address = config.ingress_address?;
    let name = format!("ingress {address}");
    let error = match TcpListener::bind(address).await {
        Ok(_) => return Some(CheckResult::ok(name, "free for a worker on this machine")),
        Err(error) => error,
    };
    let has_worker = match client {
        Some(client) => server::has_workers(client, &config.task_queue).await,
        None => false,
    };
    let fix = "set SEEDANCE_INGRESS_ADDRESS to a free address of this machine";
    Some(match error.kind() {
        ErrorKind::AddrInUse if has_worker => {
            CheckResult::ok(name, "in use, probably by the running worker")
        }
        ErrorKind::AddrInUse => {
            let found = "in use by another process: no worker polls the task queue";
            CheckResult::failed(name, found, fix)
        }
        _ => CheckResult::failed(name, format!("cannot listen: {error}"), fix),
    })
}
