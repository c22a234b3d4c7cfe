//! A host that serves one video, and can pause mid-response.

use std::{convert::Infallible, sync::Arc};

use anyhow::Context;
use axum::{
    Router,
    body::Body,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::get,
};
use bytes::Bytes;
use futures::{Stream, stream};
use parking_lot::Mutex;
use reqwest::Url;
use tokio::sync::watch;

use crate::{serving, video::video};

const CHUNK_SIZE: usize = 256 * 1024;
const ETAG: &str = "\"one\"";

pub(crate) struct Host {
    pub(crate) url: Url,
    served: Arc<Served>,
}

struct Served {
    video: Bytes,
    /// Offset at which the host pauses.
    pause_offset: watch::Sender<usize>,
    /// Offset of each request.
    offsets: Mutex<Vec<usize>>,
}

impl Host {
    /// Serves a video padded by `padding` bytes.
    pub(crate) async fn start(padding: u32) -> anyhow::Result<Self> {
        let served = Arc::new(Served {
            video: video(padding).into(),
            pause_offset: watch::Sender::new(usize::MAX),
            offsets: Mutex::default(),
        });
        let router = Router::new().route("/video.mp4", get(serve));
        let address = serving::listen(router.with_state(served.clone())).await?;
        let url = format!("http://{address}/video.mp4?X-Tos-Signature=secret");
        let url = url.parse().context("invalid URL")?;
        Ok(Self { url, served })
    }

    pub(crate) fn video(&self) -> &Bytes {
        &self.served.video
    }

    /// Pauses each response at an offset.
    pub(crate) fn pause_at(&self, offset: usize) {
        self.served.pause_offset.send_replace(offset);
    }

    pub(crate) fn resume(&self) {
        self.served.pause_offset.send_replace(usize::MAX);
    }

    /// Returns the offsets of all requests, in order.
    pub(crate) fn offsets(&self) -> Vec<usize> {
        self.served.offsets.lock().clone()
    }
}

async fn serve(State(served): State<Arc<Served>>, headers: HeaderMap) -> Response {
    let response = serving::response(&headers, served.video.len(), ETAG, |start| {
        served.offsets.lock().push(start);
        Body::from_stream(chunks(served.clone(), start))
    });
    response.unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
}

fn chunks(served: Arc<Served>, start: usize) -> impl Stream<Item = Result<Bytes, Infallible>> {
    stream::unfold(start, move |position| {
        let served = served.clone();
        async move {
            let rest = served.video.get(position..).filter(|it| !it.is_empty())?;
            let mut pause_offset = served.pause_offset.subscribe();
            let end = *pause_offset.wait_for(|end| *end > position).await.ok()?;
            let length = rest.len().min(CHUNK_SIZE).min(end - position);
            let chunk = served.video.slice(position..position + length);
            Some((Ok(chunk), position + length))
        }
    })
}
