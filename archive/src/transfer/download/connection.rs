//! Connects a download to its host, and reacts to responses that are not the object.

use reqwest::{StatusCode, Url};
use secrecy::{ExposeSecret, SecretString};
use seedance_archiver_http as http;

use super::{
    super::{
        body::Body,
        range::{Ask, BodyRange, Decision, Known, decide},
        received::Received,
        url_source::UrlSource,
        validator::Validator,
    },
    ResumableDownload,
};
use crate::{
    Error, ObjectKind,
    checks::{DeclaredObject, is_declared_as_text},
    fetch::{self, Refusal, ResumeFrom, VideoResponse},
    object::{FileType, MAGIC_LEN},
};

impl<U: UrlSource> ResumableDownload<'_, U> {
    /// Requests the bytes from the offset on. If the request fails, waits and leaves `body` empty.
    pub(super) async fn connect(&mut self, received: Received<'_>) -> Result<(), U::Error> {
        let url = self.current_url().await?;
        let response = match self.request(&url, received).await {
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
            Decision::Read(range) => self.read_from_start(response, range, received, false).await,
            Decision::End(total) => {
                self.declared.length = self.declared.length.or(total);
                self.has_ended = true;
                Ok(())
            }
            Decision::AskAgain(ask, reason) => {
                self.ask = ask;
                self.wait_before_retry(reason.to_owned(), None).await
            }
            Decision::Changed(Some(range)) => {
                self.read_from_start(response, range, received, true).await
            }
            // The next connection starts at the first byte.
            Decision::Changed(None) => self.change(),
            Decision::Useless => self.refused(response).await,
        }
    }

    /// Starts to read a body from the first byte on, unless it is an error page. If it `is_changed`, the bytes that were received
    /// are of another object, and are discarded.
    async fn read_from_start(
        &mut self,
        mut response: VideoResponse,
        range: BodyRange,
        received: Received<'_>,
        is_changed: bool,
    ) -> Result<(), U::Error> {
        match start_of(self.kind, &mut response, range.total).await {
            Ok(Start::ErrorPage) => self.refused(response).await,
            Ok(Start::Empty) if is_changed => {
                let text = "the host returned an empty body";
                self.wait_before_retry(text.to_owned(), None).await
            }
            Ok(Start::Empty) if self.offset > 0 && self.may_end => {
                self.has_ended = true;
                Ok(())
            }
            Ok(Start::Object) if is_changed => {
                self.change()?;
                self.read(response, range, received).await
            }
            Ok(Start::Empty | Start::Object) => self.read(response, range, received).await,
            Err(fetch::Error::Unavailable(error)) => self.wait_before_retry(error, None).await,
            Err(error) => Err(Error::from(error).into()),
        }
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
                .comparison(range.start, self.offset)
                .await
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
                let rejected = Error::UrlRejected(text.clone());
                let url = self.urls.fresh_url(rejected).await?;
                self.is_postponed = false;
                self.set_url(url);
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

    /// Returns the last URL, or the first one before the first connection.
    async fn current_url(&mut self) -> Result<SecretString, U::Error> {
        if let Some(url) = &self.url {
            return Ok(url.clone());
        }
        self.is_postponed = true;
        let url = self.urls.first_url().await?;
        self.is_postponed = false;
        self.set_url(url.clone());
        Ok(url)
    }

    fn set_url(&mut self, url: SecretString) {
        let parsed = Url::parse(url.expose_secret()).ok();
        let host = parsed.and_then(|url| url.host_str().map(str::to_owned));
        self.host = host.unwrap_or_default();
        self.url = Some(url);
    }

    async fn request(
        &self,
        url: &SecretString,
        received: Received<'_>,
    ) -> Result<VideoResponse, fetch::Error> {
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
        self.client.get(url.expose_secret(), resume).await
    }

    /// Returns the offset from which bytes are requested again.
    fn overlap_start(&self, received: Received<'_>) -> u64 {
        let earliest = self.offset.saturating_sub(self.overlap);
        received.overlap_start(self.offset).max(earliest)
    }

    /// Returns how the rest of the object is requested first.
    pub(super) fn first_ask(&self) -> Ask {
        match self.validator {
            Some(_) => Ask::IfRange,
            None => Ask::Overlap,
        }
    }

    /// Returns how the part after an announced part is requested. What worked once works again.
    pub(super) fn next_ask(&self) -> Ask {
        match self.ask {
            Ask::Whole => self.first_ask(),
            ask => ask,
        }
    }
}

/// What a body begins with.
enum Start {
    Object,
    ErrorPage,
    Empty,
}

/// Looks at the first bytes of an object whose size is `length`.
async fn start_of(
    kind: ObjectKind,
    response: &mut VideoResponse,
    length: Option<u64>,
) -> Result<Start, fetch::Error> {
    let is_text = is_declared_as_text(response.headers());
    let first = response.peek(MAGIC_LEN).await?;
    if first.is_empty() {
        return Ok(Start::Empty);
    }
    if FileType::detect(kind, first, length, is_text).is_some() {
        return Ok(Start::Object);
    }
    // If the connection broke off, what the text is may show in the bytes that are missing.
    match response.take_error() {
        Some(error) => Err(error),
        None => Ok(Start::ErrorPage),
    }
}
