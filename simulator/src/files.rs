//! Serves what signed URLs point to, as the object store behind them does.

use std::{
    io,
    ops::Range,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use axum::{
    Router,
    body::Body,
    extract::{RawQuery, State},
    http::{HeaderMap, HeaderName, StatusCode, Uri, header},
    response::{IntoResponse, Response},
    routing::get,
};
use bytes::Bytes;
use futures::{Stream, stream};

use crate::{
    corruption::Announced,
    server::{BUCKET, LAST_FRAME, Service, VIDEO},
    signed_url::Refused,
    source::{Digests, Source},
    tasks::{Stats, Task, lock},
};

const CRC64: HeaderName = HeaderName::from_static("x-tos-hash-crc64ecma");
/// What has been served in place of a video that was not there yet.
const GARBAGE: &str = r#"{"error": {"code": "video_not_ready", "message": "try again"}}"#;
/// Longest time that a throttled download sends nothing.
const THROTTLE: Duration = Duration::from_millis(20);
/// Time for what was sent to leave before the connection breaks: hyper drops what it still holds.
const FLUSH: Duration = Duration::from_millis(50);

pub(crate) fn routes(service: Arc<Service>) -> Router {
    Router::new()
        .route(&format!("/{BUCKET}/{{model}}/{{file}}"), get(get_object))
        .with_state(service)
}

async fn get_object(
    State(service): State<Arc<Service>>,
    uri: Uri,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let now = SystemTime::now();
    let query = query.unwrap_or_default();
    let signature = match service.signer.check(uri.path(), &query, now) {
        Ok(signature) => signature,
        Err(refused) => return access_denied(refused),
    };
    let Some(object) = Object::find(&service, uri.path()) else {
        return xml(
            StatusCode::NOT_FOUND,
            "NoSuchKey",
            "The specified key does not exist.",
        );
    };
    if object.is_video && is_dead(&object.task, &signature) {
        return access_denied(Refused::Expired);
    }
    if object.is_video && object.task.script.garbage {
        let count = |stats: &mut Stats| stats.downloads += 1;
        service.tasks.count(&object.task.id, count);
        return ([(header::CONTENT_TYPE, "video/mp4")], GARBAGE).into_response();
    }
    object.respond(service, &headers).await
}

/// One object of a task.
struct Object {
    task: Arc<Task>,
    /// As it was made.
    source: Arc<Source>,
    /// As it is served.
    served: Arc<Source>,
    is_video: bool,
}

impl Object {
    fn find(service: &Service, path: &str) -> Option<Self> {
        let file = path.rsplit('/').next()?;
        let (id, extension) = file.rsplit_once('.')?;
        let task = service.tasks.find(id)?;
        let is_video = extension == VIDEO;
        let (source, served) = match extension {
            VIDEO => (
                task.video.clone(),
                task.served(service.tasks.stats(id).downloads).clone(),
            ),
            LAST_FRAME => {
                let frame = task.last_frame.clone()?;
                (frame.clone(), frame)
            }
            _ => return None,
        };
        Some(Self {
            task,
            source,
            served,
            is_video,
        })
    }

    async fn respond(self, service: Arc<Service>, headers: &HeaderMap) -> Response {
        // What is chunked has a size all the same, for ranges.
        let size = self.served.length().unwrap_or(self.served.size());
        let modified = httpdate::fmt_http_date(self.task.status(SystemTime::now()).1);
        let mut response = Response::builder()
            .header(header::ACCEPT_RANGES, "bytes")
            .header(header::CONTENT_TYPE, self.source.content_type())
            .header(header::LAST_MODIFIED, &modified);
        let mut names = vec![modified];
        if let Some(digests) = self.digests().await {
            response = response
                .header(header::ETAG, &digests.etag)
                .header(CRC64, &digests.crc64);
            names.push(digests.etag);
        }
        let is_same = headers
            .get(header::IF_RANGE)
            .is_none_or(|it| names.iter().any(|name| it == name.as_str()));
        let has_ranges = is_same && !self.task.script.no_ranges;
        let range = match headers.get(header::RANGE).filter(|_| has_ranges) {
            None => 0..size,
            Some(range) => {
                let Some(range) = range.to_str().ok().and_then(|it| parse_range(it, size)) else {
                    let message = "The requested range cannot be satisfied.";
                    return xml(StatusCode::RANGE_NOT_SATISFIABLE, "InvalidRange", message);
                };
                response = response.status(StatusCode::PARTIAL_CONTENT).header(
                    header::CONTENT_RANGE,
                    format!("bytes {}-{}/{size}", range.start, range.end - 1),
                );
                range
            }
        };
        if self.served.length().is_some() {
            response = response.header(header::CONTENT_LENGTH, range.end - range.start);
        }
        response
            .body(Body::from_stream(self.send(service, range)))
            .unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
    }

    /// What the headers tell. The first call reads all the bytes, which may be many.
    async fn digests(&self) -> Option<Digests> {
        let source = match self.task.script.digests {
            Announced::True => self.source.clone(),
            Announced::Served => self.served.clone(),
            Announced::Nothing => return None,
        };
        tokio::task::spawn_blocking(move || source.digests().clone())
            .await
            .ok()
    }

    /// The bytes, no faster than the script says, counted as they go.
    fn send(
        self,
        service: Arc<Service>,
        range: Range<u64>,
    ) -> impl Stream<Item = io::Result<Bytes>> {
        let mut downloads = 0;
        if self.is_video {
            service.tasks.count(&self.task.id, |stats| {
                stats.downloads += 1;
                downloads = stats.downloads;
            });
        }
        let script = &self.task.script;
        let is_cut = self.is_video && downloads <= script.cuts;
        let cut_at = is_cut.then(|| range.start + script.cut_after);
        let began = Instant::now();
        let first = range.start;
        stream::unfold(range.start, move |position| {
            let end = cut_at.unwrap_or(range.end).min(range.end);
            let piece = self.served.piece(position..end);
            let pace = self.task.script.bytes_per_second.filter(|_| self.is_video);
            let (task_id, is_video) = (self.task.id.clone(), self.is_video);
            let service = service.clone();
            async move {
                let Some(piece) = piece else {
                    if position >= range.end {
                        return None;
                    }
                    tokio::time::sleep(FLUSH).await;
                    let cut = io::Error::from(io::ErrorKind::ConnectionAborted);
                    return Some((Err(cut), position));
                };
                let next = position + piece.len() as u64;
                if let Some(pace) = pace {
                    let due = Duration::from_secs_f64((next - first) as f64 / pace as f64);
                    while began.elapsed() < due {
                        tokio::time::sleep((due - began.elapsed()).min(THROTTLE)).await;
                    }
                }
                if is_video {
                    let sent = piece.len() as u64;
                    service
                        .tasks
                        .count(&task_id, |stats| stats.bytes_sent += sent);
                }
                Some((Ok(piece), next))
            }
        })
    }
}

/// Whether the script wants the URL with this signature refused.
fn is_dead(task: &Task, signature: &str) -> bool {
    lock(&task.signatures)
        .iter()
        .take(task.script.dead_urls)
        .any(|dead| dead == signature)
}

/// `bytes=a-b`, `bytes=a-` or `bytes=-n`, where it lies inside an object of this size.
fn parse_range(text: &str, size: u64) -> Option<Range<u64>> {
    let (start, end) = text.strip_prefix("bytes=")?.split_once('-')?;
    let range = match (start, end) {
        ("", last) => size.saturating_sub(last.parse().ok()?)..size,
        (start, "") => start.parse().ok()?..size,
        (start, end) => start.parse().ok()?..end.parse::<u64>().ok()?.checked_add(1)?.min(size),
    };
    (range.start < range.end).then_some(range)
}

fn access_denied(refused: Refused) -> Response {
    let message = match refused {
        Refused::Tampered => "The request signature does not match.",
        Refused::Expired => "Request has expired.",
    };
    xml(StatusCode::FORBIDDEN, "AccessDenied", message)
}

fn xml(status: StatusCode, code: &str, message: &str) -> Response {
    let body = format!("<Error><Code>{code}</Code><Message>{message}</Message></Error>");
    (status, [(header::CONTENT_TYPE, "application/xml")], body).into_response()
}

#[cfg(test)]
mod tests;
