//! A download that survives interrupted connections, expired URLs, and hosts without reliable range requests. It
//! continues at its offset as long as the host serves the same bytes, and restarts if the object changed.

mod connection;

use std::time::Duration;

use bytes::Bytes;
use secrecy::SecretString;
use seedance_archiver_clock::Clock;

use super::{
    body::{Body, BodyEnd, Chunk},
    range::{Ask, BodyRange},
    received::Received,
    retries::{MAX_WAIT, Retries},
    saved_download::SavedDownload,
    tail::{OVERLAP, SavedTail},
    url_source::UrlSource,
    validator::Validator,
};
use crate::{
    Error, ObjectKind,
    checks::{DeclaredObject, RunningChecks},
    fetch::{self, VideoClient},
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
    kind: ObjectKind,
    urls: U,
    /// `None` until the first connection: no URL is needed if all bytes were received.
    url: Option<SecretString>,
    /// Host of the last URL.
    host: String,
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
    pub(super) fn new(
        client: &'a VideoClient,
        clock: &'a Clock,
        kind: ObjectKind,
        urls: U,
    ) -> Self {
        Self {
            client,
            clock,
            kind,
            urls,
            url: None,
            host: String::new(),
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
        }
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
    pub(super) fn resume_at(&mut self, saved: &SavedDownload, checks: &RunningChecks) {
        self.validator = Validator::parse(&saved.validator);
        self.declared = checks.declared().clone();
        self.ask = self.first_ask();
        self.offset = saved.offset;
        self.bytes_fetched_again = saved.bytes_fetched_again;
        self.has_ended = saved.has_ended;
        self.host.clone_from(&saved.host);
    }

    /// Returns the state of the download at an offset.
    pub(super) fn save(&self, offset: u64, tail: SavedTail) -> SavedDownload {
        let validator = self.validator.as_ref().and_then(Validator::as_str);
        SavedDownload {
            validator: validator.unwrap_or_default().to_owned(),
            offset,
            bytes_fetched_again: self.bytes_fetched_again,
            host: self.host.clone(),
            has_ended: self.has_ended && self.offset == offset,
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
            let error = match body.next(received).await {
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

    /// Returns the host that served the last bytes.
    pub(super) fn host(&self) -> &str {
        &self.host
    }

    fn is_complete(&self) -> bool {
        let length = self.declared.length;
        self.has_ended || length.is_some_and(|length| self.offset >= length)
    }

    /// Returns whether the attempt failed because the host asked to wait or rejected the URL.
    pub(super) fn is_postponed(&self) -> bool {
        self.is_postponed
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
