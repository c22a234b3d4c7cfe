//! The bytes behind a signed URL. A cut connection goes on where it stopped, if need be with a fresh
//! URL; an object that is another one by then begins again.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use bytes::Bytes;
use reqwest::{
    StatusCode,
    header::{CONTENT_RANGE, ETAG, HeaderMap, HeaderValue, LAST_MODIFIED},
};

use super::Error;
use crate::{
    download::{self, Download, Downloads, Resume},
    seedance::SecretUrl,
};

/// Most connections of one source: each may count as one of the downloads that a URL allows.
const CONNECTIONS: usize = 6;

/// Where URLs come from.
pub trait Urls {
    /// What can go wrong with it.
    type Error: From<Error>;

    /// The URL to begin with.
    fn first(&mut self) -> impl Future<Output = Result<SecretUrl, Self::Error>>;

    /// Another URL, in place of one that was refused.
    fn fresh(&mut self, refused: Error) -> impl Future<Output = Result<SecretUrl, Self::Error>>;
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
    url: SecretUrl,
    response: Option<Download>,
    headers: HeaderMap,
    offset: u64,
    length: Option<u64>,
    fetched_again: u64,
    pauses: ExponentialBackoff,
}

impl<'a, U: Urls> Source<'a, U> {
    /// Opens the object.
    pub async fn open(downloads: &'a Downloads, mut urls: U) -> Result<Self, U::Error> {
        let mut source = Self {
            downloads,
            url: urls.first().await?,
            urls,
            response: None,
            headers: HeaderMap::new(),
            offset: 0,
            length: None,
            fetched_again: 0,
            pauses: ExponentialBuilder::default()
                .with_min_delay(Duration::from_millis(500))
                .with_max_times(CONNECTIONS - 1)
                .with_jitter()
                .build(),
        };
        source.connect().await?;
        Ok(source)
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
                Ok(None) if self.length.is_none_or(|length| self.offset >= length) => {
                    return Ok(Next::End);
                }
                Ok(None) => "the connection was closed too early".to_owned(),
                Err(download::Error::Unreachable(fault)) => fault,
                Err(error) => return Err(Error::from(error).into()),
            };
            self.response = None;
            self.pause(fault).await?;
        }
    }

    /// Length as announced; `None` where it was not.
    pub fn length(&self) -> Option<u64> {
        self.length
    }

    /// What the host says about the object.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// Bytes that came in vain.
    pub fn fetched_again(&self) -> u64 {
        self.fetched_again
    }

    /// Host that the bytes come from.
    pub fn host(&self) -> String {
        self.url.host()
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
            Err(download::Error::Unreachable(fault)) => return self.pause(fault).await,
            Err(error) => return Err(Error::from(error).into()),
        };
        match response.status() {
            StatusCode::PARTIAL_CONTENT if begins_at(&response, self.offset) => {
                self.response = Some(response);
                Ok(())
            }
            StatusCode::OK => {
                self.offset = 0;
                self.length = response.content_length();
                self.headers = response.headers().clone();
                self.response = Some(response);
                Ok(())
            }
            // What is there now is shorter than what came.
            StatusCode::RANGE_NOT_SATISFIABLE | StatusCode::PARTIAL_CONTENT => {
                self.headers.clear();
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

    async fn get(&self) -> Result<Download, download::Error> {
        let offset = self.offset;
        let same = self.same().filter(|_| offset > 0);
        let resume = same.map(|if_range| Resume { offset, if_range });
        self.downloads.get(self.url.expose(), resume).await
    }

    /// What names this very object: without it, the rest of another one could follow.
    fn same(&self) -> Option<&HeaderValue> {
        let is_strong = |etag: &&HeaderValue| !etag.as_bytes().starts_with(b"W/");
        let etag = self.headers.get(ETAG).filter(is_strong);
        etag.or_else(|| self.headers.get(LAST_MODIFIED))
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

fn begins_at(response: &Download, offset: u64) -> bool {
    let range = response.headers().get(CONTENT_RANGE);
    let range = range.and_then(|range| range.to_str().ok());
    range.is_some_and(|range| range.starts_with(&format!("bytes {offset}-")))
}
