//! A wire to a server, which can be cut and mended.

use std::net::SocketAddr;

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
};

/// Passes on what comes in, while it is whole. While it is cut, connections end.
pub(crate) struct Wire {
    pub(crate) address: SocketAddr,
    is_whole: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Wire {
    pub(crate) async fn to(server: &str) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let is_whole = watch::Sender::new(true);
        let task = tokio::spawn(serve(listener, server.to_owned(), is_whole.subscribe()));
        Ok(Self {
            address,
            is_whole,
            task,
        })
    }

    pub(crate) fn cut(&self) {
        self.is_whole.send_replace(false);
    }

    pub(crate) fn mend(&self) {
        self.is_whole.send_replace(true);
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(listener: TcpListener, server: String, is_whole: watch::Receiver<bool>) {
    while let Ok((mut near, _)) = listener.accept().await {
        let (server, mut is_whole) = (server.clone(), is_whole.clone());
        tokio::spawn(async move {
            if !*is_whole.borrow() {
                return;
            }
            let Ok(mut far) = TcpStream::connect(server).await else {
                return;
            };
            tokio::select! {
                _ = copy_bidirectional(&mut near, &mut far) => {}
                _ = is_whole.wait_for(|is_whole| !is_whole) => {}
            }
        });
    }
}
