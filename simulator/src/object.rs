//! One object of the store: a video or a last frame.

use std::{ops::Range, sync::Arc};

use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header, response::Builder},
    response::{IntoResponse, Response},
};

use crate::{
    corruption::HeaderDigests,
    download::Download,
    paths::{LAST_FRAME, VIDEO},
    range,
    service::Service,
    source::{Digests, Source},
    store_error::StoreError,
    task::Task,
};

pub(crate) const CRC64: HeaderName = HeaderName::from_static("x-tos-hash-crc64ecma");

/// An object of a task.
pub(crate) struct Object {
    pub(crate) task: Arc<Task>,
    pub(crate) is_video: bool,
    /// The object before any corruption.
    source: Arc<Source>,
    /// The object as it is served.
    served: Arc<Source>,
}

impl Object {
    /// Returns the object at a path, or `None` if no task has such an object.
    pub(crate) fn find(service: &Service, path: &str) -> Option<Self> {
        let file = path.rsplit('/').next()?;
        let (id, extension) = file.rsplit_once('.')?;
        let task = service.tasks.find(id)?;
        let is_video = extension == VIDEO;
        let (source, served) = match extension {
            VIDEO => {
                let earlier_downloads = service.tasks.stats(id).downloads;
                let served = task.served_video(earlier_downloads).clone();
                (task.video.clone(), served)
            }
            LAST_FRAME => {
                let frame = task.last_frame.clone()?;
                (frame.clone(), frame)
            }
            _ => return None,
        };
        Some(Self {
            task,
            is_video,
            source,
            served,
        })
    }

    /// Returns the response to a GET request with these headers.
    pub(crate) async fn respond(
        self,
        service: Arc<Service>,
        headers: &HeaderMap,
    ) -> Result<Response, StoreError> {
        // A chunked response has no length, but ranges still need the size.
        let size = self.served.length().unwrap_or(self.served.size());
        let last_modified = httpdate::fmt_http_date(self.task.status(service.clock.now()).1);
        let mut response = Response::builder()
            .header(header::ACCEPT_RANGES, "bytes")
            .header(header::CONTENT_TYPE, self.source.content_type())
            .header(header::LAST_MODIFIED, &last_modified);
        let mut validators = vec![last_modified];
        if let Some(digests) = self.digests().await {
            response = response
                .header(header::ETAG, &digests.etag)
                .header(CRC64, &digests.crc64);
            validators.push(digests.etag);
        }
        let range = match self.requested_range(headers, &validators) {
            None => 0..size,
            Some(requested) => {
                let requested = requested.to_str().map_err(|_| StoreError::InvalidRange)?;
                let range = range::parse(requested, size).ok_or(StoreError::InvalidRange)?;
                response = partial(response, &range, size);
                range
            }
        };
        if self.served.length().is_some() {
            response = response.header(header::CONTENT_LENGTH, range.end - range.start);
        }
        let download = Download {
            service,
            task: self.task,
            is_video: self.is_video,
            source: self.served,
        };
        Ok(response
            .body(Body::from_stream(download.stream(range)))
            .unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response()))
    }

    /// Returns the `Range` header, or `None` if `If-Range` does not match the object or the script ignores
    /// ranges.
    fn requested_range<'a>(
        &self,
        headers: &'a HeaderMap,
        validators: &[String],
    ) -> Option<&'a HeaderValue> {
        let is_same_object = headers.get(header::IF_RANGE).is_none_or(|if_range| {
            validators
                .iter()
                .any(|validator| if_range == validator.as_str())
        });
        let has_ranges = is_same_object && !self.task.script.no_ranges;
        headers.get(header::RANGE).filter(|_| has_ranges)
    }

    /// Returns the digests for the headers. The first call reads all bytes of the object.
    async fn digests(&self) -> Option<Digests> {
        let source = match self.task.script.digests {
            HeaderDigests::Original => self.source.clone(),
            HeaderDigests::Served => self.served.clone(),
            HeaderDigests::Absent => return None,
        };
        tokio::task::spawn_blocking(move || source.digests().clone())
            .await
            .ok()
    }
}

fn partial(response: Builder, range: &Range<u64>, size: u64) -> Builder {
    response.status(StatusCode::PARTIAL_CONTENT).header(
        header::CONTENT_RANGE,
        format!("bytes {}-{}/{size}", range.start, range.end - 1),
    )
}
