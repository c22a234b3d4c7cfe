//! A download that survives interrupted connections and expired URLs. It resumes at its offset, with a fresh
//! URL if necessary, and restarts if the object changed.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use bytes::Bytes;
use reqwest::{StatusCode, Url, header::LAST_MODIFIED};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use super::validator::{Validator, starts_at, total_size};
use crate::{
    Error,
    checks::DeclaredObject,
    fetch::{self, ResumeFrom, VideoClient, VideoResponse},
};

/// Maximum number of connections of one download. Hosts may limit the downloads per URL and count each
/// connection.
const MAX_CONNECTIONS: usize = 6;
/// Delay before the second connection. It doubles for each further connection.
const MIN_DELAY: Duration = Duration::from_millis(500);

/// Supplies the signed URLs of one object.
pub trait UrlSource {
    /// The error of the source.
    type Error: From<Error>;

    /// Returns the first URL.
    fn first_url(&mut self) -> impl Future<Output = Result<SecretString, Self::Error>> + Send;

    /// Returns another URL after the host rejected the last one.
    ///
    /// # Errors
    ///
    /// Returns an error if there is no other URL; `rejected` contains the reason.
    fn fresh_url(
        &mut self,
        rejected: Error,
    ) -> impl Future<Output = Result<SecretString, Self::Error>> + Send;
}

/// An event of a download.
#[derive(Debug)]
pub(super) enum DownloadEvent {
    /// More bytes arrived.
    Bytes(Bytes),
    /// The download restarted at the first byte: the object changed, the response had no validator, or the host
    /// does not support range requests.
    Restarted,
    /// All bytes arrived.
    End,
}

/// The download of one object.
pub(super) struct ResumableDownload<'a, U> {
    client: &'a VideoClient,
    urls: U,
    url: SecretString,
    response: Option<VideoResponse>,
    /// Identifies the object, so that a resumed download cannot continue with a different one. `None` if the
    /// download cannot be resumed.
    validator: Option<Validator>,
    declared: DeclaredObject,
    offset: u64,
    bytes_fetched_again: u64,
    delays: ExponentialBackoff,
}

/// The state of a download, as stored in a heartbeat.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct SavedDownload {
    #[serde(rename = "version")]
    validator: String,
    /// Number of bytes before the checkpoint.
    pub(super) offset: u64,
    #[serde(rename = "fetched_again")]
    pub(super) bytes_fetched_again: u64,
}

impl<'a, U: UrlSource> ResumableDownload<'a, U> {
    /// Returns a download that has not connected yet.
    pub(super) async fn new(client: &'a VideoClient, mut urls: U) -> Result<Self, U::Error> {
        Ok(Self {
            client,
            url: urls.first_url().await?,
            urls,
            response: None,
            validator: None,
            declared: DeclaredObject::default(),
            offset: 0,
            bytes_fetched_again: 0,
            delays: ExponentialBuilder::default()
                .with_min_delay(MIN_DELAY)
                .with_max_times(MAX_CONNECTIONS - 1)
                .with_jitter()
                .build(),
        })
    }

    /// Starts, or restarts, at the first byte.
    pub(super) async fn start(&mut self) -> Result<(), U::Error> {
        self.response = None;
        self.validator = None;
        self.bytes_fetched_again += self.offset;
        self.offset = 0;
        while self.response.is_none() {
            self.connect().await?;
        }
        Ok(())
    }

    /// Restores the state of an earlier attempt's download. The next call of [`next`](Self::next) connects at its
    /// offset.
    pub(super) fn resume_at(&mut self, saved: &SavedDownload) {
        self.validator = Validator::parse(&saved.validator);
        self.offset = saved.offset;
        self.bytes_fetched_again = saved.bytes_fetched_again;
    }

    /// Returns the state of the download at an offset, or `None` if the download is not resumable.
    pub(super) fn save(&self, offset: u64) -> Option<SavedDownload> {
        let validator = self.validator.as_ref()?.as_str()?;
        Some(SavedDownload {
            validator: validator.to_owned(),
            offset,
            bytes_fetched_again: self.bytes_fetched_again,
        })
    }

    /// Waits for the next event. Reconnects up to the limit of [`MAX_CONNECTIONS`].
    pub(super) async fn next(&mut self) -> Result<DownloadEvent, U::Error> {
        loop {
            let Some(response) = &mut self.response else {
                if self.reconnect().await? {
                    return Ok(DownloadEvent::Restarted);
                }
                continue;
            };
            let error = match response.chunk().await {
                Ok(Some(bytes)) => {
                    self.offset += bytes.len() as u64;
                    return Ok(DownloadEvent::Bytes(bytes));
                }
                Ok(None) if self.is_complete() => {
                    return Ok(DownloadEvent::End);
                }
                Ok(None) => {
                    "the host closed the connection before the end of the object".to_owned()
                }
                Err(fetch::Error::Unavailable(error)) => error,
                Err(error) => return Err(Error::from(error).into()),
            };
            self.response = None;
            self.wait_before_retry(error).await?;
        }
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
        length.is_none_or(|length| self.offset >= length)
    }

    /// Connects at the offset. Returns whether the download restarted at the first byte.
    async fn reconnect(&mut self) -> Result<bool, U::Error> {
        let previous_offset = self.offset;
        self.connect().await?;
        if self.response.is_some() && self.offset < previous_offset {
            self.bytes_fetched_again += previous_offset;
            return Ok(true);
        }
        Ok(false)
    }

    /// Requests the bytes from the offset on. If the request fails, waits and leaves `response` empty.
    async fn connect(&mut self) -> Result<(), U::Error> {
        let response = match self.request().await {
            Ok(response) => response,
            Err(fetch::Error::Unavailable(error)) => return self.wait_before_retry(error).await,
            Err(error) => return Err(Error::from(error).into()),
        };
        match response.status() {
            StatusCode::PARTIAL_CONTENT if self.continues_with(&response) => {
                let length = &mut self.declared.length;
                *length = length.or_else(|| total_size(response.headers()));
                self.response = Some(response);
                Ok(())
            }
            StatusCode::OK => {
                self.offset = 0;
                let headers = response.headers();
                self.declared = DeclaredObject::from_headers(response.content_length(), headers);
                self.validator = Validator::from_headers(headers);
                self.response = Some(response);
                Ok(())
            }
            // Without a validator, the next request is for the complete object.
            status @ (StatusCode::RANGE_NOT_SATISFIABLE | StatusCode::PARTIAL_CONTENT) => {
                self.validator = None;
                let error = match status {
                    StatusCode::PARTIAL_CONTENT => {
                        "the host returned a range that does not continue the download".to_owned()
                    }
                    status => format!("HTTP {}", status.as_u16()),
                };
                self.wait_before_retry(error).await
            }
            status @ (StatusCode::UNAUTHORIZED
            | StatusCode::FORBIDDEN
            | StatusCode::NOT_FOUND
            | StatusCode::GONE) => {
                let rejected = Error::UrlRejected(status.as_u16());
                self.url = self.urls.fresh_url(rejected).await?;
                self.wait_before_retry(format!("HTTP {}", status.as_u16()))
                    .await
            }
            status => {
                self.wait_before_retry(format!("HTTP {}", status.as_u16()))
                    .await
            }
        }
    }

    /// Returns whether a partial response continues the same object. Not every host supports `If-Range`.
    fn continues_with(&self, response: &VideoResponse) -> bool {
        let headers = response.headers();
        let is_same_object = match &self.validator {
            Some(validator) => validator.matches(headers),
            // The earlier response had no `Last-Modified`, so a response that has one may be of another object.
            None => !headers.contains_key(LAST_MODIFIED),
        };
        let has_same_size = match (self.declared.length, total_size(headers)) {
            (Some(length), Some(total)) => length == total,
            _ => true,
        };
        starts_at(headers, self.offset) && is_same_object && has_same_size
    }

    async fn request(&self) -> Result<VideoResponse, fetch::Error> {
        let offset = self.offset;
        let validator = self.validator.as_ref().filter(|_| offset > 0);
        let resume = validator.map(|validator| ResumeFrom {
            offset,
            if_range: validator.if_range(),
        });
        self.client.get(self.url.expose_secret(), resume).await
    }

    /// Waits before the next connection. Returns `error` after [`MAX_CONNECTIONS`] connections.
    async fn wait_before_retry(&mut self, error: String) -> Result<(), U::Error> {
        match self.delays.next() {
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
