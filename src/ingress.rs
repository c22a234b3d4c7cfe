//! Where the outside reaches a worker: callbacks from Seedance, and nothing else.
//!
//! - [`Ingress`]: the listener.
//! - [`Deliveries`]: what a callback brings about.
//!
//! Inside: `callbacks` checks what comes in, `connections` bounds how much of it.

mod callbacks;
mod connections;
mod delivery;

pub use delivery::Deliveries;

use std::{io, net::SocketAddr};

use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};

use crate::config::Accounts;

/// A listener that nobody is answered on yet.
pub struct Ingress {
    listener: TcpListener,
    routes: axum::Router,
}

/// A listener that answers.
pub struct Listening {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Ingress {
    /// Listens for callbacks of these accounts.
    pub async fn bind(
        address: SocketAddr,
        accounts: &Accounts,
        deliveries: Deliveries,
    ) -> io::Result<Self> {
        Ok(Self {
            listener: TcpListener::bind(address).await?,
            routes: callbacks::routes(accounts, deliveries),
        })
    }

    /// Where it listens.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Answers from now on.
    pub fn start(self) -> Listening {
        let (stop, stopped) = oneshot::channel();
        let serve = connections::serve(self.listener, self.routes, async {
            // An error says it too: the sender is gone.
            let _ = stopped.await;
        });
        Listening {
            stop,
            task: tokio::spawn(serve),
        }
    }
}

impl Listening {
    /// Takes nothing new, answers what has come, and returns.
    pub async fn stop(self) {
        let _ = self.stop.send(());
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the ingress ended badly");
        }
    }
}
