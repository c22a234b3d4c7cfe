//! The error of a worker.

use std::net::SocketAddr;

use crate::activities::ServeError;

/// The error of a worker that could not start or stopped.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    /// The worker cannot serve its accounts.
    #[error(transparent)]
    Accounts(#[from] ServeError),
    /// The worker cannot listen for callbacks.
    #[error("cannot listen for callbacks on {address}: {source}")]
    Ingress {
        /// The configured address.
        address: SocketAddr,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// The SDK rejected the options.
    #[error("cannot create the Temporal worker: {0}")]
    Setup(String),
    /// The SDK failed.
    #[error("the Temporal worker stopped: {0}")]
    Run(String),
}
