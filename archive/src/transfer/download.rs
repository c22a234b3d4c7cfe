//! A download that survives interrupted connections, expired URLs, and hosts without reliable range requests. It
//! continues at its offset as long as the host serves the same bytes, and restarts if the object changed.

use std::time::Duration;

use bytes::Bytes;
use reqwest::{StatusCode, Url};
use secrecy::{ExposeSecret, SecretString};
use seedance_archiver_clock::Clock;
use seedance_archiver_http as http;

use super::{
    body::{Body, BodyEnd, Chunk},
    range::{Ask, BodyRange, Decision, Known, decide},
    received::Received,
    retries::{MAX_WAIT, Retries},
    saved_download::SavedDownload,
    tail::{OVERLAP, SavedTail},
    url_source::UrlSource,
    validator::Validator,
};
use crate::{
    Error,
    checks::{DeclaredObject, RunningChecks},
    fetch::{self, Refusal, ResumeFrom, VideoClient, VideoResponse},
    object::{MAGIC_LEN, is_error_page},
};

/// Maximum number of restarts because the host serves different bytes.
const MAX_CHANGES: u32 = 2;

/// An event of a download.
#[derive(Debug)]
pub(super) enum DownloadEvent {
    /// More bytes arrived.
    Bytes(Bytes),
    /// The download restarted at the first byte: the object changed.
    Restarted,
    /// All bytes arrived.
    End,
}

/// The download of one object.
pub(super) struct ResumableDownload<'a, U> {
    client: &'a VideoClient,
    clock: &'a Clock,
    urls: U,
    url: SecretString,
    body: Option<Body>,
    /// How the next request asks for the rest.
    ask: Ask,
    validator: Option<Validator>,
    declared: DeclaredObject,
    offset: u64,
    /// Whether the last response ended as announced, but did not say whether the object ends there.
    may_end: bool,
    bytes_fetched_again: u64,
    /// Whether the object ends at the offset.
    has_ended: bool,
    /// Number of restarts because the host served different bytes.
    changes: u32,
    /// Whether the object changed, and the caller does not know yet.
    has_changed: bool,
    /// Number of bytes that are requested again, so that they can be compared.
    overlap: u64,
    /// Whether the host asked to wait, or rejected the URL.
    is_postponed: bool,
    retries: Retries,
}

impl<'a, U: UrlSource> ResumableDownload<'a, U> {
    /// Returns a download that has not connected yet.
    pub(super) async fn new(
        client: &'a VideoClient,
        clock: &'a Clock,
        mut urls: U,
    ) -> Result<Self, U::Error> {
        Ok(Self {
            client,
            clock,
            url: urls.first_url().await?,
            urls,
            body: None,
            ask: Ask::Whole,
            validator: None,
            declared: DeclaredObject::default(),
            offset: 0,
            may_end: false,
            bytes_fetched_again: 0,
            has_ended: false,
            changes: 0,
            has_changed: false,
            overlap: OVERLAP as u64,
            is_postponed: false,
            retries: Retries::new(),
        })
    }

    /// Starts, or restarts, at the first byte.
    pub(super) async fn start(&mut self, received: Received<'_>) -> Result<(), U::Error> {
        self.forget();
        while self.body.is_none() {
            self.connect(received).await?;
        }
        self.has_changed = false;
        Ok(())
    }

    /// Discards the bytes that were received.
    fn forget(&mut self) {
        self.body = None;
        self.ask = Ask::Whole;
        self.validator = None;
        self.declared = DeclaredObject::default();
        self.may_end = false;
        self.has_ended = false;
        self.bytes_fetched_again += self.offset;
        self.offset = 0;
    }

    /// Restores the state of an earlier attempt's download. The next call of [`next`](Self::next) connects at its
    /// offset.
    pub(super) fn resume_at(&mut self, saved: &SavedDownload, checks: &RunningChecks<'_>) {
        self.validator = Validator::parse(&saved.validator);
        self.declared = checks.declared().clone();
        self.ask = self.first_ask();
        self.offset = saved.offset;
        self.bytes_fetched_again = saved.bytes_fetched_again;
    }

    /// Returns the state of the download at an offset.
    pub(super) fn save(&self, offset: u64, tail: SavedTail) -> SavedDownload {
        let validator = self.validator.as_ref().and_then(Validator::as_str);
        SavedDownload {
            validator: validator.unwrap_or_default().to_owned(),
            offset,
            bytes_fetched_again: self.bytes_fetched_again,
            tail: Some(tail),
        }
    }

    /// Waits for the next event. Reconnects as long as [`Retries`] allows.
    pub(super) async fn next(&mut self, received: Received<'_>) -> Result<DownloadEvent, U::Error> {
        loop {
            let Some(body) = &mut self.body else {
                if self.is_complete() {
                    return Ok(DownloadEvent::End);
                }
                self.connect(received).await?;
                if self.has_changed && self.body.is_some() {
                    self.has_changed = false;
                    return Ok(DownloadEvent::Restarted);
                }
                continue;
            };
            let error = match body.next().await {
                Ok(Chunk::Bytes { repeated, new }) => {
                    if repeated > 0 && body.is_compared() {
                        let validator = Validator::from_headers(body.headers());
                        self.validator = validator.or(self.validator.take());
                    }
                    self.bytes_fetched_again += repeated;
                    self.offset += new.len() as u64;
                    self.retries.gain(new.len() as u64);
                    match new.is_empty() {
                        true => continue,
                        false => return Ok(DownloadEvent::Bytes(new)),
                    }
                }
                Ok(Chunk::Different(bytes)) => {
                    self.bytes_fetched_again += bytes;
                    self.change()?;
                    continue;
                }
                Ok(Chunk::End) => match body.end(self.offset, self.declared.length) {
                    BodyEnd::Object => {
                        self.body = None;
                        self.has_ended = true;
                        continue;
                    }
                    BodyEnd::Part => {
                        self.body = None;
                        self.may_end = true;
                        self.ask = self.next_ask();
                        continue;
                    }
                    BodyEnd::NothingNew => {
                        let range = body.range();
                        self.shorten_overlap(range);
                        "the host returned only bytes that were received before".to_owned()
                    }
                    BodyEnd::Early => {
                        "the host closed the connection before the end of the object".to_owned()
                    }
                },
                Err(fetch::Error::Unavailable(error)) => error,
                Err(error) => return Err(Error::from(error).into()),
            };
            self.body = None;
            self.may_end = false;
            self.wait_before_retry(error, None).await?;
        }
    }

    /// Requests fewer bytes again if a host that limits ranges returned only some of them.
    fn shorten_overlap(&mut self, range: BodyRange) {
        if let Some(end) = range.end.filter(|_| self.ask == Ask::Overlap) {
            self.overlap = ((end - range.start) / 2).max(1);
        }
    }

    /// Restarts because the object changed. Returns an error if it changed too often.
    fn change(&mut self) -> Result<(), U::Error> {
        if self.changes == MAX_CHANGES {
            let text = "the host serves different bytes on each connection";
            return Err(Error::Corrupt(text.to_owned()).into());
        }
        tracing::info!(
            offset = self.offset,
            "the object changed; restarting the download"
        );
        self.changes += 1;
        self.has_changed = true;
        self.forget();
        Ok(())
    }

    /// Returns the properties that the response headers declare.
    pub(super) fn declared(&self) -> &DeclaredObject {
        &self.declared
    }

    /// Returns the number of bytes that were downloaded more than once.
    pub(super) fn bytes_fetched_again(&self) -> u64 {
        self.bytes_fetched_again
    }

    /// Returns the host of the current URL.
    pub(super) fn host(&self) -> String {
        Url::parse(self.url.expose_secret())
            .ok()
            .and_then(|url| url.host_str().map(str::to_owned))
            .unwrap_or_default()
    }

    fn is_complete(&self) -> bool {
        let length = self.declared.length;
        self.has_ended || length.is_some_and(|length| self.offset >= length)
    }

    /// Requests the bytes from the offset on. If the request fails, waits and leaves `body` empty.
    async fn connect(&mut self, received: Received<'_>) -> Result<(), U::Error> {
        let response = match self.request(received).await {
            Ok(response) => response,
            Err(fetch::Error::Unavailable(error)) => {
                return self.wait_before_retry(error, None).await;
            }
            Err(error) => return Err(Error::from(error).into()),
        };
        let status = response.status();
        let is_range_error = status == StatusCode::RANGE_NOT_SATISFIABLE;
        if !status.is_success() && !is_range_error {
            return self.refused(response).await;
        }
        let known = Known {
            offset: self.offset,
            total: self.declared.length,
            validator: self.validator.as_ref(),
            may_end: self.may_end,
        };
        let length = response.content_length();
        match decide(self.ask, known, status, response.headers(), length) {
            Decision::Read(range) if range.start > 0 => self.read(response, range, received).await,
            Decision::Read(range) => self.read_from_start(response, range, received).await,
            Decision::End(total) => {
                self.declared.length = self.declared.length.or(total);
                self.has_ended = true;
                Ok(())
            }
            Decision::AskAgain(ask, reason) => {
                self.ask = ask;
                self.wait_before_retry(reason.to_owned(), None).await
            }
            Decision::Changed(range) => {
                self.change()?;
                match range {
                    Some(range) => self.read_from_start(response, range, received).await,
                    // The next connection starts at the first byte.
                    None => Ok(()),
                }
            }
            Decision::Useless => self.refused(response).await,
        }
    }

    /// Starts to read a body from the first byte on, unless it is an error page.
    async fn read_from_start(
        &mut self,
        mut response: VideoResponse,
        range: BodyRange,
        received: Received<'_>,
    ) -> Result<(), U::Error> {
        let (is_error, is_empty) = match response.peek(MAGIC_LEN).await {
            Ok(first) => (is_error_page(first), first.is_empty()),
            Err(fetch::Error::Unavailable(error)) => {
                return self.wait_before_retry(error, None).await;
            }
            Err(error) => return Err(Error::from(error).into()),
        };
        if is_error {
            return self.refused(response).await;
        }
        if is_empty && self.offset > 0 && self.may_end {
            self.has_ended = true;
            return Ok(());
        }
        self.read(response, range, received).await
    }

    /// Starts to read a body.
    async fn read(
        &mut self,
        response: VideoResponse,
        range: BodyRange,
        received: Received<'_>,
    ) -> Result<(), U::Error> {
        let headers = response.headers();
        if self.offset == 0 {
            let is_part = range.end.is_some();
            self.declared = DeclaredObject::from_headers(range.total, headers, is_part);
            self.validator = Validator::from_headers(headers);
            self.ask = self.first_ask();
        }
        let mut comparison = None;
        if range.start < self.offset {
            let is_too_short = range.is_uncertain && range.start > self.overlap_start(received);
            comparison = received
                .comparison(range.start)
                .filter(|_| !is_too_short || self.ask == Ask::Overlap);
            if comparison.is_none() {
                let is_overlap = self.ask == Ask::Overlap;
                self.ask = if is_overlap { Ask::Whole } else { Ask::Overlap };
                let text = "the bytes before the offset cannot be compared";
                return self.wait_before_retry(text.to_owned(), None).await;
            }
        }
        if self.offset > 0 {
            let is_same = self.validator.as_ref().is_some_and(|it| it.is_in(headers));
            self.ask = match range.start {
                // The host does not understand `If-Range`.
                0 if self.ask == Ask::IfRange && is_same => Ask::Range,
                0 if self.ask == Ask::IfRange || self.ask == Ask::Whole => Ask::Overlap,
                _ => self.ask,
            };
            self.declared.length = self.declared.length.or(range.total);
        }
        self.body = Some(Body::new(response, range, comparison));
        Ok(())
    }

    /// Reacts to a response that is not the object.
    async fn refused(&mut self, response: VideoResponse) -> Result<(), U::Error> {
        let retry_after = http::retry_after(response.headers(), self.clock.now());
        let status = response.status();
        match response.into_refusal().await {
            Refusal::Url(text) => {
                self.is_postponed = true;
                self.url = self
                    .urls
                    .fresh_url(Error::UrlRejected(text.clone()))
                    .await?;
                self.is_postponed = false;
                self.wait_before_retry(text, None).await
            }
            // The activity's delays are long enough for a video that is not ready.
            Refusal::NotReady(text) | Refusal::Failed(text)
                if status == StatusCode::OK && retry_after.is_none() =>
            {
                Err(Error::Corrupt(format!("the host returned an error page: {text}")).into())
            }
            Refusal::NotReady(text) => {
                let text = format!("the video is not ready: {text}");
                self.wait_before_retry(text, retry_after).await
            }
            Refusal::Failed(text) => self.wait_before_retry(text, retry_after).await,
        }
    }

    async fn request(&self, received: Received<'_>) -> Result<VideoResponse, fetch::Error> {
        let from = |offset| ResumeFrom {
            offset,
            if_range: None,
        };
        let resume = match self.ask {
            _ if self.offset == 0 => None,
            Ask::Whole => None,
            Ask::Range => Some(from(self.offset)),
            Ask::Overlap => Some(from(self.overlap_start(received))),
            Ask::IfRange => Some(ResumeFrom {
                if_range: self.validator.as_ref().map(Validator::if_range),
                ..from(self.offset)
            }),
        };
        let resume = resume.filter(|resume| resume.offset > 0);
        self.client.get(self.url.expose_secret(), resume).await
    }

    /// Returns the offset from which bytes are requested again.
    fn overlap_start(&self, received: Received<'_>) -> u64 {
        let earliest = self.offset.saturating_sub(self.overlap);
        received.overlap_start().max(earliest)
    }

    /// Returns whether the attempt failed because the host asked to wait or rejected the URL.
    pub(super) fn is_postponed(&self) -> bool {
        self.is_postponed
    }

    /// Returns how the rest of the object is requested first.
    fn first_ask(&self) -> Ask {
        match self.validator {
            Some(_) => Ask::IfRange,
            None => Ask::Overlap,
        }
    }

    /// Returns how the part after an announced part is requested. What worked once works again.
    fn next_ask(&self) -> Ask {
        match self.ask {
            Ask::Whole => self.first_ask(),
            ask => ask,
        }
    }

    /// Waits before the next connection. Returns `error` after the last one, or if the host asked for a long delay.
    async fn wait_before_retry(
        &mut self,
        error: String,
        retry_after: Option<Duration>,
    ) -> Result<(), U::Error> {
        if let Some(delay) = retry_after.filter(|delay| *delay > MAX_WAIT) {
            self.is_postponed = true;
            return Err(Error::RetryLater { text: error, delay }.into());
        }
        match self.retries.next_delay(retry_after) {
            Some(delay) => {
                tracing::info!(
                    error,
                    offset = self.offset,
                    "download request failed; retrying"
                );
                tokio::time::sleep(delay).await;
                Ok(())
            }
            None => Err(Error::Download(error).into()),
        }
    }
}
