//! A host that serves one video in chunks, and can fail after any of them.

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use bytes::Bytes;
use futures::stream;
use parking_lot::{Mutex, MutexGuard};
use reqwest::Url;

use crate::serving;

/// Size of a chunk. A part consists of several chunks.
pub(crate) const CHUNK_SIZE: usize = 16 * 1024;
/// Number of chunks in the video.
pub(crate) const CHUNKS: usize = 21;

#[derive(Clone)]
pub(crate) struct Host {
    pub(crate) url: Url,
    state: Arc<Mutex<Served>>,
}

struct Served {
    video: Bytes,
    etag: &'static str,
    chunks_left: Option<usize>,
    was_resumed: bool,
    bytes: usize,
    omits_length: bool,
}

impl Host {
    pub(crate) async fn start(video: Vec<u8>) -> Self {
        let state = Arc::new(Mutex::new(Served {
            video: video.into(),
            etag: "\"one\"",
            chunks_left: None,
            was_resumed: false,
            bytes: 0,
            omits_length: false,
        }));
        let router = Router::new()
            .route("/video.mp4", get(serve))
            .with_state(state.clone());
        let address = serving::listen(router).await.unwrap();
        let url = format!("http://{address}/video.mp4?X-Tos-Signature=secret");
        Self {
            url: url.parse().unwrap(),
            state,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Served> {
        self.state.lock()
    }

    pub(crate) fn video(&self) -> Bytes {
        self.lock().video.clone()
    }

    /// Serves `chunks` more chunks, and then fails.
    pub(crate) fn fail_after(&self, chunks: usize) {
        self.lock().chunks_left = Some(chunks);
    }

    pub(crate) fn recover(&self) {
        self.lock().chunks_left = None;
    }

    /// Serves a different valid video from now on.
    pub(crate) fn serve_another(&self) {
        let mut served = self.lock();
        let mut video = served.video.to_vec();
        if let Some(last) = video.last_mut() {
            *last ^= 1;
        }
        served.video = video.into();
        served.etag = "\"two\"";
    }

    /// Serves a valid video of the same size with a different beginning from now on: the first byte of media.
    pub(crate) fn serve_other_beginning(&self) {
        let mut served = self.lock();
        let mut video = served.video.to_vec();
        let media = video.windows(4).position(|it| it == b"mdat").unwrap() + 4;
        video[media] ^= 1;
        served.video = video.into();
        served.etag = "\"two\"";
    }

    /// Serves the same video with another ETag from now on, as another edge of a CDN does.
    pub(crate) fn change_etag(&self) {
        self.lock().etag = "\"two\"";
    }

    /// Declares no length from now on.
    pub(crate) fn omit_length(&self) {
        self.lock().omits_length = true;
    }

    /// Returns the number of bytes that were served so far.
    pub(crate) fn served_bytes(&self) -> usize {
        self.lock().bytes
    }

    /// Returns whether a request had an offset.
    pub(crate) fn was_resumed(&self) -> bool {
        self.lock().was_resumed
    }
}

async fn serve(State(state): State<Arc<Mutex<Served>>>, headers: HeaderMap) -> Response {
    let mut served = state.lock();
    if served.chunks_left == Some(0) {
        return StatusCode::FORBIDDEN.into_response();
    }
    let (size, etag) = (served.video.len(), served.etag);
    let response = serving::response(&headers, size, etag, |start| {
        served.was_resumed |= start > 0;
        Body::from_stream(chunks(state.clone(), start))
    });
    let mut response = response.unwrap();
    if served.omits_length {
        response.headers_mut().remove(header::CONTENT_LENGTH);
    }
    response
}

/// Returns the video from `start` on. If the host fails, the connection is closed before the end.
fn chunks(
    state: Arc<Mutex<Served>>,
    start: usize,
) -> impl futures::Stream<Item = Result<Bytes, Box<dyn std::error::Error + Send + Sync>>> {
    stream::unfold(start, move |position| {
        let chunk = next(&state, position);
        let may_fail = state.lock().chunks_left.is_some();
        async move {
            if may_fail {
                // While a body is pending, hyper sends the chunks before. Otherwise several would be lost together.
                tokio::task::yield_now().await;
            }
            let chunk = chunk?;
            let end = position + chunk.as_ref().map_or(0, Bytes::len);
            Some((chunk.map_err(Into::into), end))
        }
    })
}

fn next(state: &Mutex<Served>, position: usize) -> Option<Result<Bytes, &'static str>> {
    let mut served = state.lock();
    if position >= served.video.len() {
        return None;
    }
    match &mut served.chunks_left {
        Some(0) => return Some(Err("the host failed")),
        Some(left) => *left -= 1,
        None => {}
    }
    let end = served.video.len().min(position + CHUNK_SIZE);
    served.bytes += end - position;
    Some(Ok(served.video.slice(position..end)))
}
