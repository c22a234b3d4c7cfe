//! An HTTP server with limits on connections, for callbacks or for probes and metrics.

mod connections;
mod limits;
mod peers;
mod write_timeout;

pub use limits::Limits;

use std::{io, net::SocketAddr};

use axum::Router;
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};

/// A bound port that accepts no connections yet.
pub struct Listener {
    listener: TcpListener,
    routes: Router,
    limits: Limits,
}

/// A running server.
pub struct Server {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Listener {
    /// Binds a port for these routes.
    ///
    /// # Errors
    ///
    /// Returns an error if the address cannot be bound.
    pub async fn bind(address: SocketAddr, routes: Router, limits: Limits) -> io::Result<Self> {
        Ok(Self {
            listener: TcpListener::bind(address).await?,
            routes,
            limits,
        })
    }

    /// Returns the bound address.
    ///
    /// # Errors
    ///
    /// Returns an error if the operating system does not report it.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Starts serving.
    pub fn start(self) -> Server {
        let (stop, stopped) = oneshot::channel();
        let serve = connections::serve(self.listener, self.routes, self.limits, async {
            // A dropped sender stops the server too.
            let _ = stopped.await;
        });
        Server {
            stop,
            task: tokio::spawn(serve),
        }
    }
}

impl Server {
    /// Stops accepting connections, and waits for the responses to open requests.
    pub async fn stop(self) {
        // Fails if the server stopped already.
        let _ = self.stop.send(());
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the HTTP server panicked");
        }
    }
}

#[cfg(test)]
mod tests;
