//! Where callbacks come in.

use std::io::ErrorKind;

use temporalio_client::Client;
use tokio::net::TcpListener;

use super::{Finding, server};
use crate::config::Reading;

/// Whether a worker here can listen, or one does. `None`: no callbacks are taken.
pub async fn check(reading: &Reading, client: Option<&Client>) -> Option<Finding> {
    let address = reading.ingress_address?;
    let name = format!("ingress {address}");
    let error = match TcpListener::bind(address).await {
        Ok(_) => return Some(Finding::ok(name, "is free for a worker on this machine")),
        Err(error) => error,
    };
    let is_served = match client {
        Some(client) => server::is_served(client, &reading.task_queue).await,
        None => false,
    };
    let elsewhere = "set SEEDANCE_INGRESS_ADDRESS to an address of this machine that is free";
    Some(match error.kind() {
        ErrorKind::AddrInUse if is_served => Finding::ok(
            name,
            "is in use, and a worker polls: it should be the worker",
        ),
        ErrorKind::AddrInUse => {
            let found = "is in use, and no worker polls: by something else";
            Finding::failed(name, found, elsewhere)
        }
        _ => Finding::failed(name, format!("cannot be listened on: {error}"), elsewhere),
    })
}
