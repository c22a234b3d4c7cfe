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
    host_dialect::{DigestHeaders, HostDialect},
    paths::{LAST_FRAME, VIDEO},
    range,
    service::Service,
    source::{Digests, Source, mix},
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
        mut self,
        service: Arc<Service>,
        headers: &HeaderMap,
    ) -> Result<Response, StoreError> {
        let dialect = self.dialect();
        if dialect.changing_bytes {
            let number = service.tasks.stats(&self.task.id).downloads;
            self.served = Arc::new(Source::video(&self.task.script, mix(number)));
        }
        // A chunked response has no length, but ranges still need the size.
        let size = self.served.length().unwrap_or(self.served.size());
        let last_modified = httpdate::fmt_http_date(self.task.status(service.clock.now()).1);
        let mut response = Response::builder()
            .header(header::ACCEPT_RANGES, "bytes")
            .header(header::CONTENT_TYPE, self.source.content_type());
        let mut validators = Vec::new();
        if !dialect.no_validators {
            response = response.header(header::LAST_MODIFIED, &last_modified);
            validators.push(last_modified);
        }
        if let Some(digests) = self.digests().await {
            let etag = match dialect.changing_etags {
                true => format!("\"{}\"", service.tasks.stats(&self.task.id).downloads),
                false => digests.etag.clone(),
            };
            for (name, value) in dialect_headers(&dialect, &digests, &etag) {
                response = response.header(name, value);
            }
            validators.push(etag);
        }
        let requested = self.requested_range(headers, &validators);
        let is_partial = requested.is_some() || dialect.always_206;
        let mut range = match requested {
            None => 0..size,
            Some(requested) => {
                let invalid = || StoreError::InvalidRange(size);
                let requested = requested.to_str().map_err(|_| invalid())?;
                range::parse(requested, size).ok_or_else(invalid)?
            }
        };
        if is_partial {
            range.start -= range.start % dialect.range_align.unwrap_or(1);
            let cap = dialect.range_cap.unwrap_or(u64::MAX);
            range.end = range.end.min(range.start.saturating_add(cap));
            let total = (!dialect.unknown_total).then_some(size);
            response = partial(response, &range, total);
        }
        let hides_length = dialect.chunked || (dialect.unknown_total && !is_partial);
        if self.served.length().is_some() && !hides_length {
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

    /// Returns the dialect of the video's host. A last frame is served as by ByteDance's object store.
    fn dialect(&self) -> HostDialect {
        match self.is_video {
            true => self.task.script.host.clone(),
            false => HostDialect::default(),
        }
    }

    /// Returns the `Range` header, or `None` if `If-Range` does not match the object or the script ignores
    /// ranges.
    fn requested_range<'a>(
        &self,
        headers: &'a HeaderMap,
        validators: &[String],
    ) -> Option<&'a HeaderValue> {
        let dialect = self.dialect();
        let is_same_object = headers.get(header::IF_RANGE).is_none_or(|if_range| {
            let is_current = |validator: &String| if_range == validator.as_str();
            let is_same = dialect.if_range_ignored || validators.iter().any(is_current);
            is_same && !dialect.if_range_200
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

/// Returns the headers in which a host declares its digests.
fn dialect_headers(
    dialect: &HostDialect,
    digests: &Digests,
    etag: &str,
) -> Vec<(HeaderName, String)> {
    let name = HeaderName::from_static;
    let (header, value) = match dialect.digest_headers {
        DigestHeaders::Tos => (CRC64, digests.crc64.clone()),
        DigestHeaders::Oss => (name("x-oss-hash-crc64ecma"), digests.crc64.clone()),
        DigestHeaders::Cos => (name("x-cos-hash-crc64ecma"), digests.crc64.clone()),
        DigestHeaders::ContentMd5 => (name("content-md5"), digests.md5.clone()),
        DigestHeaders::Azure => (name("x-ms-blob-content-md5"), digests.md5.clone()),
        DigestHeaders::Google => (name("x-goog-hash"), format!("md5={}", digests.md5)),
        DigestHeaders::Amazon => (name("x-amz-checksum-sha256"), digests.sha256.clone()),
        DigestHeaders::ReprDigest => (name("repr-digest"), format!("sha-256=:{}:", digests.sha256)),
    };
    let mut headers = vec![(header, value)];
    if !dialect.no_validators {
        headers.push((header::ETAG, etag.to_owned()));
    }
    headers
}

fn partial(response: Builder, range: &Range<u64>, total: Option<u64>) -> Builder {
    let total = total.map_or_else(|| "*".to_owned(), |total| total.to_string());
    response.status(StatusCode::PARTIAL_CONTENT).header(
        header::CONTENT_RANGE,
        format!(
            "bytes {}-{}/{total}",
            range.start,
            range.end.saturating_sub(1)
        ),
    )
}
