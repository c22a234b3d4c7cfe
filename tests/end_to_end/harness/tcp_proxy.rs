//! A TCP proxy that can be disconnected, to simulate network failures.

use std::net::SocketAddr;

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
};

/// A proxy in front of a server. While it is disconnected, it closes all connections.
pub(crate) struct TcpProxy {
    pub(crate) address: SocketAddr,
    is_connected: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl TcpProxy {
    /// Starts a proxy in front of the server at an address.
    pub(crate) async fn start(server: &str) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let is_connected = watch::Sender::new(true);
        let task = tokio::spawn(serve(listener, server.to_owned(), is_connected.subscribe()));
        Ok(Self {
            address,
            is_connected,
            task,
        })
    }

    pub(crate) fn disconnect(&self) {
        self.is_connected.send_replace(false);
    }

    pub(crate) fn reconnect(&self) {
        self.is_connected.send_replace(true);
    }
}

impl Drop for TcpProxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(listener: TcpListener, server: String, is_connected: watch::Receiver<bool>) {
    while let Ok((mut client, _)) = listener.accept().await {
        let (server, mut is_connected) = (server.clone(), is_connected.clone());
        tokio::spawn(async move {
            if !*is_connected.borrow() {
                return;
            }
            let Ok(mut server) = TcpStream::connect(server).await else {
                return;
            };
            tokio::select! {
                _ = copy_bidirectional(&mut client, &mut server) => {}
                _ = is_connected.wait_for(|is_connected| !is_connected) => {}
            }
        });
    }
}
