//! A host that serves one video piece by piece, and can die after any of them.

use std::{
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
    serve::ListenerExt,
};
use bytes::Bytes;
use futures::stream;
use reqwest::Url;

/// So small that there are some in each part.
const PIECE: usize = 16 * 1024;
/// Pieces of the video.
pub(crate) const PIECES: usize = 21;

#[derive(Clone)]
pub(crate) struct Host {
    pub(crate) url: Url,
    state: Arc<Mutex<Served>>,
}

struct Served {
    video: Bytes,
    etag: &'static str,
    pieces_left: Option<usize>,
    was_resumed: bool,
}

impl Host {
    pub(crate) async fn of(video: Vec<u8>) -> Self {
        assert_eq!(video.len().div_ceil(PIECE), PIECES);
        let state = Arc::new(Mutex::new(Served {
            video: video.into(),
            etag: "\"one\"",
            pieces_left: None,
            was_resumed: false,
        }));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new()
            .route("/video.mp4", get(serve))
            .with_state(state.clone());
        let listener = listener.tap_io(|connection| {
            let _ = connection.set_nodelay(true);
        });
        tokio::spawn(async move { axum::serve(listener, router).await });
        let url = format!("http://{address}/video.mp4?X-Tos-Signature=secret");
        Self {
            url: url.parse().unwrap(),
            state,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Served> {
        self.state.lock().unwrap()
    }

    pub(crate) fn video(&self) -> Bytes {
        self.lock().video.clone()
    }

    /// It serves so many pieces more, and then nothing.
    pub(crate) fn die_after(&self, pieces: usize) {
        self.lock().pieces_left = Some(pieces);
    }

    pub(crate) fn revive(&self) {
        self.lock().pieces_left = None;
    }

    /// Another video from now on, as whole as the one before.
    pub(crate) fn serve_another(&self) {
        let mut served = self.lock();
        let mut video = served.video.to_vec();
        if let Some(last) = video.last_mut() {
            *last ^= 1;
        }
        served.video = video.into();
        served.etag = "\"two\"";
    }

    /// Whether somebody has gone on in the middle.
    pub(crate) fn was_resumed(&self) -> bool {
        self.lock().was_resumed
    }
}

async fn serve(State(state): State<Arc<Mutex<Served>>>, headers: HeaderMap) -> Response {
    let mut served = state.lock().unwrap();
    if served.pieces_left == Some(0) {
        return StatusCode::FORBIDDEN.into_response();
    }
    let is_same = headers
        .get(header::IF_RANGE)
        .is_some_and(|it| it == served.etag);
    let range = headers.get(header::RANGE).filter(|_| is_same);
    let start = range.and_then(|range| {
        range
            .to_str()
            .ok()?
            .strip_prefix("bytes=")?
            .strip_suffix('-')?
            .parse()
            .ok()
    });
    let (size, etag) = (served.video.len(), served.etag);
    let mut response = Response::builder().header(header::ETAG, etag);
    if let Some(start) = start {
        served.was_resumed = true;
        let range = format!("bytes {start}-{}/{size}", size - 1);
        response = response
            .status(StatusCode::PARTIAL_CONTENT)
            .header(header::CONTENT_RANGE, range);
    }
    let start = start.unwrap_or(0);
    drop(served);
    response
        .header(header::CONTENT_LENGTH, size - start)
        .body(Body::from_stream(pieces(state, start)))
        .unwrap()
}

/// The rest of the video; where the host dies, the connection ends before it does.
fn pieces(
    state: Arc<Mutex<Served>>,
    start: usize,
) -> impl futures::Stream<Item = Result<Bytes, Box<dyn std::error::Error + Send + Sync>>> {
    stream::unfold(start, move |position| {
        let piece = next(&state, position);
        let is_mortal = state.lock().unwrap().pieces_left.is_some();
        async move {
            if is_mortal {
                // Each piece for itself: else they arrive, and are lost, together.
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            let piece = piece?;
            let end = position + piece.as_ref().map_or(0, Bytes::len);
            Some((piece.map_err(Into::into), end))
        }
    })
}

fn next(state: &Mutex<Served>, position: usize) -> Option<Result<Bytes, &'static str>> {
    let mut served = state.lock().unwrap();
    if position >= served.video.len() {
        return None;
    }
    match &mut served.pieces_left {
        Some(0) => return Some(Err("the host died")),
        Some(left) => *left -= 1,
        None => {}
    }
    let end = served.video.len().min(position + PIECE);
    Some(Ok(served.video.slice(position..end)))
}
