//! Bounds what comes in: how many connections, how slow, and for how long after the end.

use std::{sync::Arc, time::Duration};

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
    service::TowerToHyperService,
};
use tokio::{net::TcpListener, sync::Semaphore};

/// Most connections at once. More wait to be accepted.
const CONNECTIONS: usize = 256;
/// Longest time for the head of a request, and between two on one connection.
const HEAD: Duration = Duration::from_secs(5);
/// Most of a head, in bytes.
const MAX_HEAD: usize = 16 * 1024;
/// How long answers under way may take after the end.
const GRACE: Duration = Duration::from_secs(5);
/// Time before accepting is tried again where it fails: out of file handles as a rule.
const ACCEPT_AGAIN: Duration = Duration::from_millis(200);

/// Serves until `stopped` resolves.
pub(super) async fn serve(
    listener: TcpListener,
    routes: Router,
    stopped: impl Future<Output = ()>,
) {
    let open = GracefulShutdown::new();
    tokio::select! {
        never = accept(&listener, &routes, &open) => match never {},
        () = stopped => {}
    }
    drop(listener);
    if tokio::time::timeout(GRACE, open.shutdown()).await.is_err() {
        tracing::warn!("requests under way were cut off: whoever sent them may send them again");
    }
}

async fn accept(
    listener: &TcpListener,
    routes: &Router,
    open: &GracefulShutdown,
) -> std::convert::Infallible {
    let permits = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let permit = permits.clone().acquire_owned().await;
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(ACCEPT_AGAIN).await;
                continue;
            }
        };
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD)
            .max_buf_size(MAX_HEAD)
            .serve_connection(
                TokioIo::new(stream),
                TowerToHyperService::new(routes.clone()),
            );
        let connection = open.watch(connection);
        tokio::spawn(async move {
            // Whoever called has broken off: nothing is owed.
            let _ = connection.await;
            drop(permit);
        });
    }
}
