//! Accepts and serves connections within the limits.

use std::{convert::Infallible, pin::pin, sync::Arc, time::Duration};

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Semaphore, watch},
    time::{sleep, timeout},
};

use super::{limits::Limits, peers::Peers, write_timeout::WriteTimeout};

/// Maximum size of a request's head, in bytes.
const MAX_HEADER: usize = 16 * 1024;
/// How long an open request may take after its connection reached its maximum age or the server was stopped.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(5);
/// Delay before accepting is retried after an error, which is usually a lack of file descriptors.
const ACCEPT_RETRY_DELAY: Duration = Duration::from_millis(200);

/// Serves until `stopped` resolves.
pub(super) async fn serve(
    listener: TcpListener,
    routes: Router,
    limits: Limits,
    stopped: impl Future<Output = ()>,
) {
    let stop = watch::Sender::new(());
    tokio::select! {
        never = accept(&listener, &routes, limits, &stop) => match never {},
        () = stopped => {}
    }
    // Refuse new connections while the open ones finish.
    drop(listener);
    // Each connection has a receiver.
    stop.send_replace(());
    if timeout(SHUTDOWN_TIMEOUT, stop.closed()).await.is_err() {
        tracing::warn!(
            timeout_s = SHUTDOWN_TIMEOUT.as_secs_f64(),
            "closed connections with open requests"
        );
    }
}

async fn accept(
    listener: &TcpListener,
    routes: &Router,
    limits: Limits,
    stop: &watch::Sender<()>,
) -> Infallible {
    let permits = Arc::new(Semaphore::new(limits.connections));
    let peers = Peers::default();
    loop {
        let permit = permits.clone().acquire_owned().await;
        let (stream, address) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                sleep(ACCEPT_RETRY_DELAY).await;
                continue;
            }
        };
        let Some(peer) = peers.add(address.ip(), limits.connections_per_peer) else {
            tracing::debug!(peer = %address.ip(), "connection refused: the peer has too many");
            continue;
        };
        let (routes, stopped) = (routes.clone(), stop.subscribe());
        tokio::spawn(async move {
            serve_connection(stream, routes, limits, stopped).await;
            drop((permit, peer));
        });
    }
}

/// Serves a connection until it ends, it reaches its maximum age or the server is stopped. An open request may then be
/// completed.
async fn serve_connection(
    stream: TcpStream,
    routes: Router,
    limits: Limits,
    mut stopped: watch::Receiver<()>,
) {
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header_timeout)
        .max_buf_size(MAX_HEADER)
        .serve_connection(
            TokioIo::new(WriteTimeout::new(stream, limits.write_timeout)),
            TowerToHyperService::new(routes),
        );
    let mut connection = pin!(connection);
    tokio::select! {
        // An error means that the client closed the connection, stalled or sent no valid HTTP.
        _ = &mut connection => return,
        () = sleep(limits.max_age) => {}
        _ = stopped.changed() => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = timeout(SHUTDOWN_TIMEOUT, connection).await;
}
