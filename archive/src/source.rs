//! The bytes behind a signed URL. A cut connection goes on where it stopped, if need be with a fresh
//! URL; an object that is another one by then begins again.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use bytes::Bytes;
use reqwest::{
    StatusCode,
    header::{CONTENT_RANGE, ETAG, HeaderMap, HeaderName, HeaderValue, LAST_MODIFIED},
};
use serde::{Deserialize, Serialize};

use secrecy::{ExposeSecret, SecretString};

use crate::{
    Error,
    checks::Announced,
    fetch::{self, Download, Downloads, Resume},
};

/// Most connections of one source: each may count as one of the downloads that a URL allows.
const CONNECTIONS: usize = 6;

/// Where URLs come from.
pub trait Urls {
    /// What can go wrong with it.
    type Error: From<Error>;

    /// The URL to begin with.
    fn first(&mut self) -> impl Future<Output = Result<SecretString, Self::Error>> + Send;

    /// Another URL, in place of one that was refused.
    fn fresh(
        &mut self,
        refused: Error,
    ) -> impl Future<Output = Result<SecretString, Self::Error>> + Send;
}

/// What comes next.
#[derive(Debug)]
pub enum Next {
    /// More bytes.
    Bytes(Bytes),
    /// Forget all that came: the object is another one, or cannot be had in parts.
    StartOver,
    /// The end.
    End,
}

/// One object behind a URL.
pub struct Source<'a, U> {
    downloads: &'a Downloads,
    urls: U,
    url: SecretString,
    response: Option<Download>,
    /// What names this very object: without it, the rest of another one could follow.
    version: Option<HeaderValue>,
    announced: Announced,
    offset: u64,
    fetched_again: u64,
    pauses: ExponentialBackoff,
}

/// A place in an object, as it travels to another process.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct SavedSource {
    /// The strong `ETag` or the `Last-Modified`.
    version: String,
    /// Bytes before it.
    pub(super) offset: u64,
    /// Bytes that came in vain.
    pub(super) fetched_again: u64,
}

impl<'a, U: Urls> Source<'a, U> {
    /// An object that nothing is fetched of yet.
    pub async fn new(downloads: &'a Downloads, mut urls: U) -> Result<Self, U::Error> {
        Ok(Self {
            downloads,
            url: urls.first().await?,
            urls,
            response: None,
            version: None,
            announced: Announced::default(),
            offset: 0,
            fetched_again: 0,
            pauses: ExponentialBuilder::default()
                .with_min_delay(Duration::from_millis(500))
                .with_max_times(CONNECTIONS - 1)
                .with_jitter()
                .build(),
        })
    }

    /// Opens it at its beginning, whatever came before.
    pub async fn begin(&mut self) -> Result<(), U::Error> {
        self.response = None;
        self.version = None;
        self.fetched_again += self.offset;
        self.offset = 0;
        while self.response.is_none() {
            self.connect().await?;
        }
        Ok(())
    }

    /// Goes to where another process was. If the object is not that one any more, what comes next is
    /// to start over.
    pub fn go_to(&mut self, place: &SavedSource) {
        self.version = HeaderValue::from_str(&place.version).ok();
        self.offset = place.offset;
        self.fetched_again = place.fetched_again;
    }

    /// The place after so many bytes. `None`: nobody else could go on from there.
    pub fn place(&self, offset: u64) -> Option<SavedSource> {
        let version = self.version.as_ref()?.to_str().ok()?;
        Some(SavedSource {
            version: version.to_owned(),
            offset,
            fetched_again: self.fetched_again,
        })
    }

    /// The next bytes.
    pub async fn next(&mut self) -> Result<Next, U::Error> {
        loop {
            let Some(response) = &mut self.response else {
                if self.reconnect().await? {
                    return Ok(Next::StartOver);
                }
                continue;
            };
            let fault = match response.chunk().await {
                Ok(Some(bytes)) => {
                    self.offset += bytes.len() as u64;
                    return Ok(Next::Bytes(bytes));
                }
                Ok(None) if self.is_at_end() => {
                    return Ok(Next::End);
                }
                Ok(None) => "the connection was closed too early".to_owned(),
                Err(fetch::Error::Unreachable(fault)) => fault,
                Err(error) => return Err(Error::from(error).into()),
            };
            self.response = None;
            self.pause(fault).await?;
        }
    }

    /// What the host has said of the object.
    pub fn announced(&self) -> &Announced {
        &self.announced
    }

    /// Bytes that came in vain.
    pub fn fetched_again(&self) -> u64 {
        self.fetched_again
    }

    /// Host that the bytes come from.
    pub fn host(&self) -> String {
        reqwest::Url::parse(self.url.expose_secret())
            .ok()
            .and_then(|url| url.host_str().map(str::to_owned))
            .unwrap_or_default()
    }

    fn is_at_end(&self) -> bool {
        let length = self.announced.length;
        length.is_none_or(|length| self.offset >= length)
    }

    /// Goes on at the offset. `true`: from the beginning instead.
    async fn reconnect(&mut self) -> Result<bool, U::Error> {
        let before = self.offset;
        self.connect().await?;
        if self.response.is_some() && self.offset < before {
            self.fetched_again += before;
            return Ok(true);
        }
        Ok(false)
    }

    /// Asks for what is still to come. Where the connection fails, there is no response afterwards.
    async fn connect(&mut self) -> Result<(), U::Error> {
        let response = match self.get().await {
            Ok(response) => response,
            Err(fetch::Error::Unreachable(fault)) => return self.pause(fault).await,
            Err(error) => return Err(Error::from(error).into()),
        };
        match response.status() {
            StatusCode::PARTIAL_CONTENT if self.is_continued_by(&response) => {
                self.announced.length = self.announced.length.or_else(|| total(&response));
                self.response = Some(response);
                Ok(())
            }
            StatusCode::OK => {
                self.offset = 0;
                self.announced = Announced::by(response.content_length(), response.headers());
                self.version = version(response.headers());
                self.response = Some(response);
                Ok(())
            }
            // What is there now is shorter than what came.
            StatusCode::RANGE_NOT_SATISFIABLE | StatusCode::PARTIAL_CONTENT => {
                self.version = None;
                self.pause("the object has changed".to_owned()).await
            }
            status @ (StatusCode::UNAUTHORIZED
            | StatusCode::FORBIDDEN
            | StatusCode::NOT_FOUND
            | StatusCode::GONE) => {
                let refused = Error::UrlRefused(status.as_u16());
                self.url = self.urls.fresh(refused).await?;
                self.pause(format!("HTTP {}", status.as_u16())).await
            }
            status => self.pause(format!("HTTP {}", status.as_u16())).await,
        }
    }

    /// Whether a range is the rest of this very object: not every host minds `If-Range`.
    fn is_continued_by(&self, response: &Download) -> bool {
        let is_named_so = |name: HeaderName| {
            let header = response.headers().get(&name);
            header.is_none_or(|header| self.version.as_ref() == Some(header))
        };
        let named_by_etag = self
            .version
            .as_ref()
            .is_some_and(|it| it.as_bytes().starts_with(b"\""));
        let is_same = match named_by_etag {
            true => is_named_so(ETAG),
            false => is_named_so(LAST_MODIFIED),
        };
        let is_as_long = match (self.announced.length, total(response)) {
            (Some(length), Some(total)) => length == total,
            _ => true,
        };
        begins_at(response, self.offset) && is_same && is_as_long
    }

    async fn get(&self) -> Result<Download, fetch::Error> {
        let offset = self.offset;
        let version = self.version.as_ref().filter(|_| offset > 0);
        let resume = version.map(|if_range| Resume { offset, if_range });
        self.downloads.get(self.url.expose_secret(), resume).await
    }

    /// Waits before the next connection, of which there is a limit.
    async fn pause(&mut self, fault: String) -> Result<(), U::Error> {
        match self.pauses.next() {
            Some(pause) => {
                tracing::info!(%fault, offset = self.offset, "the transfer goes on after a pause");
                tokio::time::sleep(pause).await;
                Ok(())
            }
            None => Err(Error::Source(fault).into()),
        }
    }
}

/// What names this very object.
fn version(headers: &HeaderMap) -> Option<HeaderValue> {
    let is_strong = |etag: &&HeaderValue| !etag.as_bytes().starts_with(b"W/");
    let etag = headers.get(ETAG).filter(is_strong);
    etag.or_else(|| headers.get(LAST_MODIFIED)).cloned()
}

fn begins_at(response: &Download, offset: u64) -> bool {
    let range = content_range(response);
    range.is_some_and(|range| range.starts_with(&format!("bytes {offset}-")))
}

/// Length of the object that a range is of.
fn total(response: &Download) -> Option<u64> {
    let (_, total) = content_range(response)?.split_once('/')?;
    total.parse().ok()
}

fn content_range(response: &Download) -> Option<&str> {
    response.headers().get(CONTENT_RANGE)?.to_str().ok()
}
