//! A port on which a worker is called: for callbacks, or for health and metrics. Both are bounded alike.

mod connections;

use std::{io, net::SocketAddr};

use axum::Router;
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};

/// A port that nobody is answered on yet.
pub struct Listener {
    listener: TcpListener,
    routes: Router,
}

/// A port that answers.
pub struct Listening {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Listener {
    /// Listens for what these routes answer.
    pub async fn bind(address: SocketAddr, routes: Router) -> io::Result<Self> {
        Ok(Self {
            listener: TcpListener::bind(address).await?,
            routes,
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
            tracing::error!(%error, "a listener ended badly");
        }
    }
}
