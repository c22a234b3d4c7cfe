//! The host of the videos, over http and https, from memory. It also discards what is sent to it.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    ops::Range,
    sync::Arc,
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header, response::Builder},
    response::{IntoResponse, Response},
    routing::{get, put},
};
use futures::{Stream, StreamExt, stream};
use parking_lot::Mutex;
use serde::Serialize;
use tokio::{
    net::TcpListener,
    task::JoinHandle,
    time::{Instant, sleep_until},
};

use super::{certificate::Certificate, tls, video::Video};

/// Path to which anything can be sent.
const SINK: &str = "/sink";

/// How a client reaches the host.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Source {
    Http,
    Https,
}

impl Source {
    pub(super) const ALL: [Self; 2] = [Self::Http, Self::Https];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

/// A running host. It stops when dropped.
pub(super) struct Host {
    http: SocketAddr,
    https: SocketAddr,
    served: Arc<Mutex<Vec<Served>>>,
    servers: [JoinHandle<()>; 2],
}

#[derive(Clone)]
struct Served {
    video: Arc<Video>,
    /// Rate of each download. `None`: not throttled.
    bytes_per_second: Option<u64>,
}

impl Host {
    pub(super) async fn start(certificate: &Certificate) -> anyhow::Result<Self> {
        let served = Arc::default();
        let routes = Router::new()
            .route(SINK, put(discard))
            .route("/{file}", get(video))
            .with_state(Arc::clone(&served));
        let plain = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let encrypted = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let (http, https) = (plain.local_addr()?, encrypted.local_addr()?);
        let config = certificate.server_config.clone();
        let with_tls = tokio::spawn(tls::serve(encrypted, config, routes.clone()));
        let without_tls = tokio::spawn(async move {
            // `serve` returns only when the task is aborted.
            let _ = axum::serve(plain, routes).await;
        });
        Ok(Self {
            http,
            https,
            served,
            servers: [without_tls, with_tls],
        })
    }

    /// Serves a video, and returns its URL.
    pub(super) fn serve(
        &self,
        source: Source,
        video: &Arc<Video>,
        bytes_per_second: Option<u64>,
    ) -> String {
        let mut served = self.served.lock();
        served.push(Served {
            video: video.clone(),
            bytes_per_second,
        });
        self.url(source, &format!("/{}.mp4", served.len() - 1))
    }

    /// Returns a URL to which anything can be sent.
    pub(super) fn sink(&self, source: Source) -> String {
        self.url(source, SINK)
    }

    fn url(&self, source: Source, path: &str) -> String {
        let address = match source {
            Source::Http => self.http,
            Source::Https => self.https,
        };
        format!("{}://{address}{path}", source.name())
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.servers.iter().for_each(JoinHandle::abort);
    }
}

async fn discard(body: Body) -> StatusCode {
    let mut pieces = body.into_data_stream();
    while let Some(piece) = pieces.next().await {
        if piece.is_err() {
            return StatusCode::BAD_REQUEST;
        }
    }
    StatusCode::OK
}

async fn video(
    State(served): State<Arc<Mutex<Vec<Served>>>>,
    Path(file): Path<String>,
    headers: HeaderMap,
) -> Response {
    let number = file.strip_suffix(".mp4").and_then(|it| it.parse().ok());
    let found = number.and_then(|number: usize| served.lock().get(number).cloned());
    match found {
        Some(served) => respond(served, &headers),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

fn respond(served: Served, headers: &HeaderMap) -> Response {
    let video = &served.video;
    let if_range = headers.get(header::IF_RANGE);
    let is_same = if_range.is_none_or(|etag| etag == video.etag.as_str());
    let requested = headers.get(header::RANGE).filter(|_| is_same);
    let response = Response::builder()
        .header(header::ACCEPT_RANGES, "bytes")
        .header(header::CONTENT_TYPE, "video/mp4")
        .header(header::ETAG, &video.etag)
        .header("x-tos-hash-crc64ecma", &video.crc64);
    let Some(requested) = requested else {
        let range = 0..video.size;
        return finish(response, served, range);
    };
    let range = requested.to_str().ok();
    let Some(range) = range.and_then(|text| parse_range(text, video.size)) else {
        return StatusCode::RANGE_NOT_SATISFIABLE.into_response();
    };
    let content_range = format!("bytes {}-{}/{}", range.start, range.end - 1, video.size);
    let response = response
        .status(StatusCode::PARTIAL_CONTENT)
        .header(header::CONTENT_RANGE, content_range);
    finish(response, served, range)
}

fn finish(response: Builder, served: Served, range: Range<u64>) -> Response {
    let response = response.header(header::CONTENT_LENGTH, range.end - range.start);
    response
        .body(Body::from_stream(pieces(served, range)))
        .unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
}

fn pieces(served: Served, range: Range<u64>) -> impl Stream<Item = io::Result<Bytes>> {
    let start = Instant::now();
    let Range { start: first, end } = range;
    stream::unfold((served, first), move |(served, position)| async move {
        let piece = served.video.piece(position..end)?;
        let next = position + piece.len() as u64;
        if let Some(rate) = served.bytes_per_second {
            let due = Duration::from_secs_f64((next - first) as f64 / rate as f64);
            sleep_until(start + due).await;
        }
        Some((Ok(piece), (served, next)))
    })
}

/// Parses `bytes=a-` and `bytes=a-b`, the ranges that downloads request.
fn parse_range(text: &str, size: u64) -> Option<Range<u64>> {
    let (start, last) = text.strip_prefix("bytes=")?.split_once('-')?;
    let end = match last {
        "" => size,
        last => last.parse::<u64>().ok()?.checked_add(1)?.min(size),
    };
    let range = start.parse().ok()?..end;
    (!range.is_empty()).then_some(range)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RANGE: header::HeaderName = header::RANGE;

    #[test]
    fn a_range_has_a_start() {
        assert_eq!(parse_range("bytes=0-0", 100), Some(0..1));
        assert_eq!(parse_range("bytes=90-", 100), Some(90..100));
        assert_eq!(parse_range("bytes=90-1000", 100), Some(90..100));
        for invalid in ["bytes=-5", "bytes=100-", "bytes=9-8", "90-", "bytes=a-"] {
            assert_eq!(parse_range(invalid, 100), None, "{invalid}");
        }
    }

    #[tokio::test]
    async fn both_sources_serve_the_same_video_and_its_ranges() {
        let directory = tempfile::tempdir().unwrap();
        let certificate = Certificate::create(directory.path().to_owned()).unwrap();
        let host = Host::start(&certificate).await.unwrap();
        let video = Arc::new(Video::new(b"an MP4", 3 << 20));
        let client = certificate.client().unwrap();
        for source in Source::ALL {
            let url = host.serve(source, &video, None);
            let all = client.get(&url).send().await.unwrap();
            assert_eq!(all.headers()[header::ETAG], video.etag);
            let all = all.bytes().await.unwrap();
            assert_eq!(all.len(), 3 << 20);
            let part = client.get(&url).header(RANGE, "bytes=1000000-");
            let part = part.header(header::IF_RANGE, &video.etag);
            let part = part.send().await.unwrap();
            assert_eq!(part.status(), StatusCode::PARTIAL_CONTENT);
            assert_eq!(part.bytes().await.unwrap(), all[1_000_000..]);
            let sent = client.put(host.sink(source)).body(all).send().await;
            assert_eq!(sent.unwrap().status(), StatusCode::OK);
            let missing = format!("{url}4");
            let missing = client.get(missing).send().await.unwrap();
            assert_eq!(missing.status(), StatusCode::NOT_FOUND);
        }
    }
}
