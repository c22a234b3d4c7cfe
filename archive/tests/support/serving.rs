//! How a host of videos answers, from the first byte or from the middle on.

use std::net::SocketAddr;

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, StatusCode, header},
    response::Response,
    serve::ListenerExt,
};

/// Serves on a free port.
pub(crate) async fn listen(router: Router) -> std::io::Result<SocketAddr> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let listener = listener.tap_io(|connection| {
        let _ = connection.set_nodelay(true);
    });
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(address)
}

/// An object from where the request asks for it, if that is this very object.
pub(crate) fn answer(
    headers: &HeaderMap,
    size: usize,
    etag: &str,
    body: impl FnOnce(usize) -> Body,
) -> axum::http::Result<Response> {
    let start = start(headers, etag);
    let mut response = Response::builder().header(header::ETAG, etag);
    if let Some(start) = start {
        let range = format!("bytes {start}-{}/{size}", size - 1);
        response = response
            .status(StatusCode::PARTIAL_CONTENT)
            .header(header::CONTENT_RANGE, range);
    }
    let start = start.unwrap_or(0);
    response
        .header(header::CONTENT_LENGTH, size - start)
        .body(body(start))
}

fn start(headers: &HeaderMap, etag: &str) -> Option<usize> {
    headers.get(header::IF_RANGE).filter(|it| *it == etag)?;
    let range = headers.get(header::RANGE)?.to_str().ok()?;
    range
        .strip_prefix("bytes=")?
        .strip_suffix('-')?
        .parse()
        .ok()
}
