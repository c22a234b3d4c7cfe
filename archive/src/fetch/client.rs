use std::time::Duration;

use opentelemetry::KeyValue;
use reqwest::{
    Client, Response, StatusCode, Url,
    header::{ACCEPT_ENCODING, HeaderMap, HeaderValue, IF_RANGE, LOCATION, RANGE},
    redirect,
};
use seedance_archiver_http::trace;
use tokio::time::timeout;

use super::{Error, FetchRules, SizeLimit, VideoResponse, resolver::Resolver, rules};

/// Timeout for a connection, including DNS and TLS.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Timeout for the response headers, including the connection.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(40);
/// Maximum number of redirects of one download.
const MAX_REDIRECTS: usize = 5;

/// The HTTP client that downloads an account's videos. Clones share a connection pool.
#[derive(Clone, Debug)]
pub struct VideoClient {
    client: Client,
    rules: FetchRules,
    max_size: u64,
}

/// The point from which a download resumes.
#[derive(Clone, Copy, Debug)]
pub struct ResumeFrom<'a> {
    /// Offset of the first byte to download.
    pub offset: u64,
    /// The strong `ETag` or the `Last-Modified` of the object. `None`: the range is requested of any object.
    pub if_range: Option<&'a HeaderValue>,
}

impl VideoClient {
    /// Returns a client with the rules of an account, or for some hosts. Accounts must not share a client: the rules
    /// of one account may allow a pooled connection that the rules of another forbid.
    ///
    /// # Errors
    ///
    /// Returns an error if the TLS backend cannot be initialized, or the URL of the proxy is invalid.
    pub fn new(rules: impl Into<FetchRules>) -> Result<Self, reqwest::Error> {
        let rules = rules.into();
        // The digests in the headers are of the stored bytes, so no content encoding is accepted.
        let identity = (ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        let client = Client::builder()
            .dns_resolver(Resolver(rules.clone()))
            .redirect(redirect::Policy::none())
            .connect_timeout(CONNECT_TIMEOUT)
            .default_headers(HeaderMap::from_iter([identity]))
            .user_agent(concat!("seedance-archiver/", env!("CARGO_PKG_VERSION")));
        let client = match &rules.proxy {
            Some(proxy) => proxy.apply(client)?,
            None => client.no_proxy(),
        };
        Ok(Self {
            client: client.build()?,
            rules,
            max_size: SizeLimit::DEFAULT,
        })
    }

    /// Sets the maximum size of a video, in bytes.
    pub fn with_max_size(self, max_size: u64) -> Self {
        Self { max_size, ..self }
    }

    /// Requests a video, or the rest of it, and follows redirects. Returns the response,
    /// whatever its status.
    ///
    /// # Errors
    ///
    /// Returns an error if the account does not allow the URL or a redirect, the host does not respond, or
    /// `Content-Length` exceeds the size limit.
    pub async fn get(
        &self,
        url: &str,
        resume: Option<ResumeFrom<'_>>,
    ) -> Result<VideoResponse, Error> {
        let mut headers = HeaderMap::new();
        if let Some(ResumeFrom { offset, if_range }) = resume
            && let Ok(range) = HeaderValue::try_from(format!("bytes={offset}-"))
        {
            headers.insert(RANGE, range);
            if let Some(if_range) = if_range {
                headers.insert(IF_RANGE, if_range.clone());
            }
        }
        self.limit_size(self.follow(url, &headers).await?, resume)
    }

    /// Sends a request and follows redirects.
    async fn follow(&self, url: &str, headers: &HeaderMap) -> Result<Response, Error> {
        let mut url = Url::parse(url)
            .map_err(|_| Error::NotAllowed("the video URL is not a valid URL".into()))?;
        rules::check_url(&self.rules, &url).map_err(Error::NotAllowed)?;
        for _ in 0..=MAX_REDIRECTS {
            let response = self.send(&url, headers).await?;
            let Some(target) = redirect_target(&url, &response)? else {
                return Ok(response);
            };
            rules::check_redirect(&self.rules, &url, &target).map_err(Error::NotAllowed)?;
            url = target;
        }
        let text = format!("more than {MAX_REDIRECTS} redirects");
        Err(Error::for_host(&url, &text))
    }

    /// Requests only the first byte of a video, as [`get`](Self::get) requests a video, and discards it. Returns the
    /// host and the status of the response.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`get`](Self::get).
    pub async fn probe(&self, url: &str) -> Result<(String, StatusCode), Error> {
        let first_byte = HeaderValue::from_static("bytes=0-0");
        let response = self
            .follow(url, &HeaderMap::from_iter([(RANGE, first_byte)]))
            .await?;
        let host = response.url().host_str().unwrap_or_default().to_owned();
        Ok((host, response.status()))
    }

    fn limit_size(
        &self,
        response: Response,
        resume: Option<ResumeFrom<'_>>,
    ) -> Result<VideoResponse, Error> {
        let mut size_limit = SizeLimit::new(self.max_size);
        if let Some(resume) = resume
            && response.status() == StatusCode::PARTIAL_CONTENT
        {
            size_limit.add(resume.offset)?;
        }
        VideoResponse::new(response, size_limit)
    }

    async fn send(&self, url: &Url, headers: &HeaderMap) -> Result<Response, Error> {
        let request = self.client.get(url.clone()).headers(headers.clone());
        let host = url.host_str().unwrap_or_default().to_owned();
        let attributes = [KeyValue::new("server.address", host)];
        let response = async {
            timeout(RESPONSE_TIMEOUT, request.send())
                .await
                .map_err(|_| {
                    let seconds = RESPONSE_TIMEOUT.as_secs();
                    Error::for_host(url, &format!("no response within {seconds} s"))
                })?
                .map_err(|error| Error::from_client(url, error))
        };
        trace::span("video host", attributes, response).await
    }
}

/// Returns the target of a redirect, or `None` if the response is not a redirect. `reqwest` would send the
/// signed URL as `Referer`, and each request has to be checked and timed like the first, so this client follows
/// redirects itself.
fn redirect_target(url: &Url, response: &Response) -> Result<Option<Url>, Error> {
    let is_redirect = matches!(
        response.status(),
        StatusCode::MOVED_PERMANENTLY
            | StatusCode::FOUND
            | StatusCode::SEE_OTHER
            | StatusCode::TEMPORARY_REDIRECT
            | StatusCode::PERMANENT_REDIRECT
    );
    let Some(location) = response.headers().get(LOCATION).filter(|_| is_redirect) else {
        return Ok(None);
    };
    match location.to_str().map(|location| url.join(location)) {
        Ok(Ok(target)) => Ok(Some(target)),
        _ => Err(Error::for_host(url, "redirect to an invalid URL")),
    }
}
