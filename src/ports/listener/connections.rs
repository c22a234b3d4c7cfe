//! Accepts and serves connections, within limits on their number, their headers and the time to shut down.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
    service::TowerToHyperService,
};
use tokio::{net::TcpListener, sync::Semaphore};

/// Maximum number of open connections. Further ones wait in the backlog.
const MAX_CONNECTIONS: usize = 256;
/// Timeout of reading the head of a request. It is also the idle timeout of a connection.
const HEADER_TIMEOUT: Duration = Duration::from_secs(5);
/// Maximum size of a request's head, in bytes.
const MAX_HEADER: usize = 16 * 1024;
/// How long open requests may take after the server was stopped.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(5);
/// Delay before accepting is retried after an error, which is usually a lack of file descriptors.
const ACCEPT_RETRY_DELAY: Duration = Duration::from_millis(200);

/// Serves until `stopped` resolves.
pub(super) async fn serve(
    listener: TcpListener,
    routes: Router,
    stopped: impl Future<Output = ()>,
) {
    let connections = GracefulShutdown::new();
    tokio::select! {
        never = accept(&listener, &routes, &connections) => match never {},
        () = stopped => {}
    }
    // Refuse new connections while the open ones finish.
    drop(listener);
    let shutdown = tokio::time::timeout(SHUTDOWN_TIMEOUT, connections.shutdown());
    if shutdown.await.is_err() {
        tracing::warn!(
            timeout_s = SHUTDOWN_TIMEOUT.as_secs_f64(),
            "closed connections with open requests"
        );
    }
}

async fn accept(
    listener: &TcpListener,
    routes: &Router,
    connections: &GracefulShutdown,
) -> Infallible {
    let permits = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        let permit = permits.clone().acquire_owned().await;
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(ACCEPT_RETRY_DELAY).await;
                continue;
            }
        };
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADER_TIMEOUT)
            .max_buf_size(MAX_HEADER)
            .serve_connection(
                TokioIo::new(stream),
                TowerToHyperService::new(routes.clone()),
            );
        let connection = connections.watch(connection);
        tokio::spawn(async move {
            // An error means that the client closed the connection or sent no valid HTTP.
            let _ = connection.await;
            drop(permit);
        });
    }
}
