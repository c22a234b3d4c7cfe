//! HTTP responses of a video host, with support for range requests.

use std::net::SocketAddr;

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, StatusCode, header},
    response::Response,
    serve::ListenerExt,
};

/// Serves a router on a free port.
pub(crate) async fn listen(router: Router) -> std::io::Result<SocketAddr> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let listener = listener.tap_io(|connection| {
        let _ = connection.set_nodelay(true);
    });
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(address)
}

/// Returns a response with an object, or with the requested range if `If-Range` matches the ETag.
pub(crate) fn response(
    headers: &HeaderMap,
    size: usize,
    etag: &str,
    body: impl FnOnce(usize) -> Body,
) -> axum::http::Result<Response> {
    let start = resume_offset(headers, etag);
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

fn resume_offset(headers: &HeaderMap, etag: &str) -> Option<usize> {
    headers.get(header::IF_RANGE).filter(|it| *it == etag)?;
    let range = headers.get(header::RANGE)?.to_str().ok()?;
    range
        .strip_prefix("bytes=")?
        .strip_suffix('-')?
        .parse()
        .ok()
}
