//! A host that serves one video, and can pause in the middle of it.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex, PoisonError},
};

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
use reqwest::Url;
use tokio::sync::watch;

use crate::{serving, video::video};

const CHUNK: usize = 256 * 1024;

pub(crate) struct Host {
    pub(crate) url: Url,
    served: Arc<Served>,
}

struct Served {
    video: Bytes,
    /// Offset at which the host pauses.
    end: watch::Sender<usize>,
    offsets: Mutex<Vec<usize>>,
}

impl Host {
    /// Starts a host of a video with `padding` bytes at its end.
    pub(crate) async fn new(padding: u32) -> anyhow::Result<Self> {
        let served = Arc::new(Served {
            video: video(padding).into(),
            end: watch::Sender::new(usize::MAX),
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
    pub(crate) fn pause_at(&self, end: usize) {
        self.served.end.send_replace(end);
    }

    pub(crate) fn resume(&self) {
        self.served.end.send_replace(usize::MAX);
    }

    /// Returns the offset of each request, in their order.
    pub(crate) fn offsets(&self) -> Vec<usize> {
        let offsets = self.served.offsets.lock();
        offsets.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn serve(State(served): State<Arc<Served>>, headers: HeaderMap) -> Response {
    let response = serving::response(&headers, served.video.len(), "\"one\"", |start| {
        let offsets = served.offsets.lock();
        offsets.unwrap_or_else(PoisonError::into_inner).push(start);
        Body::from_stream(chunks(served.clone(), start))
    });
    response.unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
}

fn chunks(served: Arc<Served>, start: usize) -> impl Stream<Item = Result<Bytes, Infallible>> {
    stream::unfold(start, move |position| {
        let served = served.clone();
        async move {
            let left = served.video.get(position..).filter(|it| !it.is_empty())?;
            let mut end = served.end.subscribe();
            let end = *end.wait_for(|end| *end > position).await.ok()?;
            let length = left.len().min(CHUNK).min(end - position);
            let chunk = served.video.slice(position..position + length);
            Some((Ok(chunk), position + length))
        }
    })
}
