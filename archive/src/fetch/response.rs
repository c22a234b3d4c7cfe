use std::{fmt, time::Duration};

use bytes::{Bytes, BytesMut};
use reqwest::{Response, StatusCode, header::HeaderMap};
use tokio::time::{Instant, timeout};

use super::{Error, MinThroughput, Refusal, SizeLimit, error_body::MAX_ERROR_BODY};

/// Timeout for each read from the body.
const READ_TIMEOUT: Duration = Duration::from_secs(30);
/// Timeout for the body of an error. Its status says enough if the body does not arrive.
const ERROR_BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// The response to a request for a video, whatever its status.
pub struct VideoResponse {
    response: Response,
    /// Bytes of the body that were looked at in advance.
    peeked: BytesMut,
    /// The error after these bytes.
    error: Option<Error>,
    size_limit: SizeLimit,
    min_throughput: MinThroughput,
}

impl VideoResponse {
    /// Returns a response to read. For a resumed download, `size_limit` must already include the offset.
    pub(super) fn new(response: Response, size_limit: SizeLimit) -> Result<Self, Error> {
        size_limit.check_next(response.content_length().unwrap_or_default())?;
        Ok(Self {
            response,
            peeked: BytesMut::new(),
            error: None,
            size_limit,
            min_throughput: MinThroughput::default(),
        })
    }

    /// Returns the status.
    pub fn status(&self) -> StatusCode {
        self.response.status()
    }

    /// Returns the headers.
    pub fn headers(&self) -> &HeaderMap {
        self.response.headers()
    }

    /// Returns `Content-Length`.
    pub fn content_length(&self) -> Option<u64> {
        self.response.content_length()
    }

    /// Waits for the next bytes of the body. Returns `None` at the end of the body.
    ///
    /// # Errors
    ///
    /// Returns an error if the connection fails, no bytes arrive within 30 s, or the body is too slow or too
    /// large.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, Error> {
        if !self.peeked.is_empty() {
            return Ok(Some(self.peeked.split().freeze()));
        }
        match self.error.take() {
            Some(error) => Err(error),
            None => self.read().await,
        }
    }

    /// Waits for the first `length` bytes of the body, or fewer if it ends or breaks off. [`chunk`](Self::chunk)
    /// returns them again.
    ///
    /// # Errors
    ///
    /// See [`chunk`](Self::chunk). Returns no error if any bytes arrived; `chunk` returns it after them.
    pub async fn peek(&mut self, length: usize) -> Result<&[u8], Error> {
        while self.peeked.len() < length && self.error.is_none() {
            match self.read().await {
                Ok(Some(chunk)) => self.peeked.extend_from_slice(&chunk),
                Ok(None) => break,
                Err(error) if self.peeked.is_empty() => return Err(error),
                Err(error) => self.error = Some(error),
            }
        }
        Ok(&self.peeked)
    }

    /// Returns the error with which the connection broke off while [`peek`](Self::peek) waited, if it did. `chunk` does not
    /// return it any more.
    pub fn take_error(&mut self) -> Option<Error> {
        self.error.take()
    }

    /// Reads the body of an error, 64 KiB and 10 s at most, and classifies the response.
    pub async fn into_refusal(mut self) -> Refusal {
        let _ = timeout(ERROR_BODY_TIMEOUT, self.peek(MAX_ERROR_BODY)).await;
        Refusal::new(self.status(), &self.peeked)
    }

    async fn read(&mut self) -> Result<Option<Bytes>, Error> {
        // `reqwest`'s read timeout is not used: it keeps running while the caller waits for the store, so a slow
        // store would look like a slow host.
        let started = Instant::now();
        let chunk = match timeout(READ_TIMEOUT, self.response.chunk()).await {
            Ok(Ok(Some(chunk))) => chunk,
            Ok(Ok(None)) => return Ok(None),
            Ok(Err(error)) => return Err(Error::from_client(self.response.url(), error)),
            Err(_) => {
                let text = format!("download stalled: no data for {} s", READ_TIMEOUT.as_secs());
                return Err(Error::for_host(self.response.url(), &text));
            }
        };
        let size = chunk.len() as u64;
        self.size_limit.add(size)?;
        self.min_throughput.add(size, started.elapsed())?;
        Ok(Some(chunk))
    }
}

/// Omits the response, whose `Debug` output contains the URL.
impl fmt::Debug for VideoResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VideoResponse")
            .field("status", &self.status())
            .field("size_limit", &self.size_limit)
            .field("min_throughput", &self.min_throughput)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use futures::{Stream, StreamExt, stream};
    use tokio::time::sleep;

    use super::*;

    fn response(body: impl Stream<Item = Bytes> + Send + 'static) -> VideoResponse {
        let body = reqwest::Body::wrap_stream(body.map(Ok::<_, Infallible>));
        let response = Response::from(hyper::Response::new(body));
        VideoResponse::new(response, SizeLimit::new(1_000_000)).unwrap()
    }

    /// Returns an endless body that sends a chunk after each pause.
    fn chunk_every(pause: Duration, chunk: &'static [u8]) -> impl Stream<Item = Bytes> {
        stream::repeat(chunk).then(move |chunk| async move {
            sleep(pause).await;
            Bytes::from_static(chunk)
        })
    }

    async fn read_to_end(response: &mut VideoResponse) -> Result<(), Error> {
        while response.chunk().await?.is_some() {}
        Ok(())
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_stops_times_out() {
        let started = Instant::now();
        let mut response = response(stream::pending());
        let error = read_to_end(&mut response).await.unwrap_err();
        assert!(matches!(error, Error::Unavailable(text) if text.contains("no data for 30 s")));
        assert_eq!(started.elapsed().as_secs(), 30);
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_below_the_minimum_throughput_is_an_error() {
        let started = Instant::now();
        let mut response = response(chunk_every(Duration::from_secs(29), b"drip"));
        let error = read_to_end(&mut response).await.unwrap_err();
        assert!(matches!(error, Error::Unavailable(text) if text.contains("too slow")));
        // The third chunk, after 3 × 29 s, ends the first window of at least 60 s.
        assert_eq!(started.elapsed().as_secs(), 87);
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_above_the_size_limit_is_an_error() {
        let mut response = response(stream::repeat(Bytes::from_static(&[0; 4096])));
        let error = read_to_end(&mut response).await.unwrap_err();
        assert!(matches!(error, Error::NotAllowed(text) if text.contains("larger than 1000000")));
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_reader_does_not_count_as_a_slow_host() {
        let mut response =
            response(stream::iter([b"a", b"b", b"c"]).map(|chunk| Bytes::from_static(chunk)));
        while response.chunk().await.unwrap().is_some() {
            sleep(Duration::from_secs(1000)).await;
        }
    }
}
