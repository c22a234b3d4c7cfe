//! A host that serves one video, and can stop in the middle of it until it is let go.

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

const PIECE: usize = 256 * 1024;

pub(crate) struct Host {
    pub(crate) url: Url,
    served: Arc<Served>,
}

struct Served {
    video: Bytes,
    /// It serves what is before this.
    end: watch::Sender<usize>,
    starts: Mutex<Vec<usize>>,
}

impl Host {
    /// A host of a video that ends with so much filling.
    pub(crate) async fn of(filling: u32) -> anyhow::Result<Self> {
        let served = Arc::new(Served {
            video: video(filling).into(),
            end: watch::Sender::new(usize::MAX),
            starts: Mutex::default(),
        });
        let router = Router::new().route("/video.mp4", get(serve));
        let address = serving::listen(router.with_state(served.clone())).await?;
        let url = format!("http://{address}/video.mp4?X-Tos-Signature=secret");
        let url = url.parse().context("no URL")?;
        Ok(Self { url, served })
    }

    pub(crate) fn video(&self) -> &Bytes {
        &self.served.video
    }

    /// It serves so many bytes, and then waits.
    pub(crate) fn stop_at(&self, end: usize) {
        self.served.end.send_replace(end);
    }

    pub(crate) fn let_go(&self) {
        self.served.end.send_replace(usize::MAX);
    }

    /// From where it was asked for the video, each time.
    pub(crate) fn starts(&self) -> Vec<usize> {
        let starts = self.served.starts.lock();
        starts.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn serve(State(served): State<Arc<Served>>, headers: HeaderMap) -> Response {
    let answer = serving::answer(&headers, served.video.len(), "\"one\"", |start| {
        let starts = served.starts.lock();
        starts.unwrap_or_else(PoisonError::into_inner).push(start);
        Body::from_stream(pieces(served.clone(), start))
    });
    answer.unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
}

fn pieces(served: Arc<Served>, start: usize) -> impl Stream<Item = Result<Bytes, Infallible>> {
    stream::unfold(start, move |position| {
        let served = served.clone();
        async move {
            let left = served.video.get(position..).filter(|it| !it.is_empty())?;
            let mut end = served.end.subscribe();
            let end = *end.wait_for(|end| *end > position).await.ok()?;
            let length = left.len().min(PIECE).min(end - position);
            let piece = served.video.slice(position..position + length);
            Some((Ok(piece), position + length))
        }
    })
}
