//! The answer to a request for a video.

use std::{fmt, time::Duration};

use bytes::Bytes;
use reqwest::{Response, StatusCode, header::HeaderMap};
use tokio::time::{Instant, timeout};

use super::{Error, Pace, Size};

/// Longest silence while a body is read.
const READ_TIMEOUT: Duration = Duration::from_secs(30);

/// An answer, of whatever status, and its body.
pub struct Download {
    response: Response,
    size: Size,
    pace: Pace,
}

impl Download {
    /// `size` knows what came before, if the answer is the rest of it.
    pub(super) fn new(response: Response, size: Size) -> Result<Self, Error> {
        size.with(response.content_length().unwrap_or_default())?;
        Ok(Self {
            response,
            size,
            pace: Pace::default(),
        })
    }

    /// The status.
    pub fn status(&self) -> StatusCode {
        self.response.status()
    }

    /// The headers.
    pub fn headers(&self) -> &HeaderMap {
        self.response.headers()
    }

    /// Length of the body as announced; `None` where it was not.
    pub fn content_length(&self) -> Option<u64> {
        self.response.content_length()
    }

    /// The next bytes of the body; `None` at its end.
    ///
    /// The timeout is here and not `reqwest`'s, whose clock runs on while nobody reads: a store that
    /// is slow to take the last bytes would look like a host that is slow to send the next.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, Error> {
        let asked = Instant::now();
        let chunk = match timeout(READ_TIMEOUT, self.response.chunk()).await {
            Ok(Ok(Some(chunk))) => chunk,
            Ok(Ok(None)) => return Ok(None),
            Ok(Err(error)) => return Err(Error::of_client(self.response.url(), error)),
            Err(_) => {
                return Err(Error::of_host(
                    self.response.url(),
                    "the body stopped coming",
                ));
            }
        };
        self.size.add(chunk.len() as u64)?;
        self.pace.add(chunk.len() as u64, asked.elapsed())?;
        Ok(Some(chunk))
    }
}

/// Without the response, which would show its URL.
impl fmt::Debug for Download {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Download")
            .field("status", &self.status())
            .field("size", &self.size)
            .field("pace", &self.pace)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use futures::{Stream, StreamExt, stream};
    use tokio::time::sleep;

    use super::*;

    fn download(body: impl Stream<Item = Bytes> + Send + 'static) -> Download {
        let body = reqwest::Body::wrap_stream(body.map(Ok::<_, Infallible>));
        let response = Response::from(hyper::Response::new(body));
        Download::new(response, Size::new(1_000_000)).unwrap()
    }

    /// A body that has a chunk ready every so often.
    fn every(pause: Duration, chunk: &'static [u8]) -> impl Stream<Item = Bytes> {
        stream::repeat(chunk).then(move |chunk| async move {
            sleep(pause).await;
            Bytes::from_static(chunk)
        })
    }

    async fn end_of(download: &mut Download) -> Result<(), Error> {
        while download.chunk().await?.is_some() {}
        Ok(())
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_stops_is_given_up() {
        let begun = Instant::now();
        let fault = end_of(&mut download(stream::pending())).await.unwrap_err();
        assert!(matches!(fault, Error::Unreachable(why) if why.contains("stopped coming")));
        assert_eq!(begun.elapsed().as_secs(), 30);
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_drips_is_given_up() {
        let begun = Instant::now();
        let mut download = download(every(Duration::from_secs(29), b"drip"));
        let fault = end_of(&mut download).await.unwrap_err();
        assert!(matches!(fault, Error::Unreachable(why) if why.contains("too slowly")));
        assert_eq!(begun.elapsed().as_secs(), 87);
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_without_end_is_refused() {
        let mut download = download(stream::repeat(Bytes::from_static(&[0; 4096])));
        let fault = end_of(&mut download).await.unwrap_err();
        assert!(matches!(fault, Error::Refused(why) if why.contains("larger than 1000000")));
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_reader_is_not_held_against_the_host() {
        let mut download =
            download(stream::iter([b"a", b"b", b"c"]).map(|chunk| Bytes::from_static(chunk)));
        while download.chunk().await.unwrap().is_some() {
            sleep(Duration::from_secs(1000)).await;
        }
    }
}
