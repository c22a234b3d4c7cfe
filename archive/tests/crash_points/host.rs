//! A host that serves one video piece by piece, and can die after any of them.

use std::{
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::get,
};
use bytes::Bytes;
use futures::stream;
use reqwest::Url;

use crate::serving;

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
    let (size, etag) = (served.video.len(), served.etag);
    let answer = serving::answer(&headers, size, etag, |start| {
        served.was_resumed |= start > 0;
        Body::from_stream(pieces(state.clone(), start))
    });
    answer.unwrap()
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
