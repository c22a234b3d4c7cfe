//! Serves HTTP over TLS.

use std::sync::Arc;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{TlsAcceptor, rustls::ServerConfig};

/// Serves connections until it is dropped, and those that are open until they close.
pub(super) async fn serve(listener: TcpListener, config: Arc<ServerConfig>, routes: Router) {
    let acceptor = TlsAcceptor::from(config);
    loop {
        // An error is that of one connection.
        if let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve_connection(stream, acceptor.clone(), routes.clone()));
        }
    }
}

async fn serve_connection(stream: TcpStream, acceptor: TlsAcceptor, routes: Router) {
    let Ok(stream) = acceptor.accept(stream).await else {
        return;
    };
    let service = TowerToHyperService::new(routes);
    let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    // The client may close the connection at any time.
    let _ = connection.await;
}
