//! The client that fetches an account's videos.

use std::time::Duration;

use opentelemetry::KeyValue;
use reqwest::{
    Client, Response, StatusCode, Url,
    header::{ACCEPT_ENCODING, HeaderMap, HeaderValue, IF_RANGE, LOCATION, RANGE},
    redirect,
};
use seedance_archiver_http::trace;
use tokio::time::timeout;

use super::{Download, Error, Size, UrlHosts, resolver::Resolver, rules};

/// Longest time to connect, name and TLS included.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Longest time until an answer begins, the connection included.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(40);
/// Redirects of one request.
const REDIRECTS: usize = 5;

/// Fetches the videos of one account.
#[derive(Clone, Debug)]
pub struct Downloads {
    client: Client,
    hosts: UrlHosts,
    largest: u64,
}

/// Where a download goes on.
#[derive(Clone, Copy, Debug)]
pub struct Resume<'a> {
    /// Bytes that are there already.
    pub offset: u64,
    /// The strong `ETag` or the `Last-Modified` of the object that they are of.
    pub if_range: &'a HeaderValue,
}

impl Downloads {
    /// Downloads from these hosts. Connections are not shared with another account: its rules may have
    /// let them through.
    pub fn new(hosts: UrlHosts) -> Result<Self, reqwest::Error> {
        // A video is kept as it is stored, and digested as such.
        let identity = (ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        let client = Client::builder()
            .dns_resolver(Resolver(hosts.clone()))
            .redirect(redirect::Policy::none())
            .no_proxy()
            .connect_timeout(CONNECT_TIMEOUT)
            .default_headers(HeaderMap::from_iter([identity]))
            .user_agent(concat!("seedance-archiver/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self {
            client,
            hosts,
            largest: Size::LIMIT,
        })
    }

    /// Downloads of at most so many bytes.
    pub fn up_to(self, largest: u64) -> Self {
        Self { largest, ..self }
    }

    /// Asks for a video, or for the rest of it. The answer may have any status.
    pub async fn get(&self, url: &str, resume: Option<Resume<'_>>) -> Result<Download, Error> {
        let mut url =
            Url::parse(url).map_err(|_| Error::Refused("the video URL is not a URL".into()))?;
        rules::check_url(&self.hosts, &url).map_err(Error::Refused)?;
        for _ in 0..=REDIRECTS {
            let response = self.send(&url, resume).await?;
            let Some(target) = target(&url, &response)? else {
                return self.download(response, resume);
            };
            rules::check_redirect(&self.hosts, &url, &target).map_err(Error::Refused)?;
            url = target;
        }
        let fault = format!("more than {REDIRECTS} redirects");
        Err(Error::of_host(&url, &fault))
    }

    fn download(&self, response: Response, resume: Option<Resume<'_>>) -> Result<Download, Error> {
        let mut size = Size::new(self.largest);
        if let Some(resume) = resume
            && response.status() == StatusCode::PARTIAL_CONTENT
        {
            size.add(resume.offset)?;
        }
        Download::new(response, size)
    }

    async fn send(&self, url: &Url, resume: Option<Resume<'_>>) -> Result<Response, Error> {
        let mut request = self.client.get(url.clone());
        if let Some(Resume { offset, if_range }) = resume {
            request = request
                .header(RANGE, format!("bytes={offset}-"))
                .header(IF_RANGE, if_range);
        }
        let host = url.host_str().unwrap_or_default().to_owned();
        let attributes = [KeyValue::new("server.address", host)];
        let answer = async {
            timeout(ANSWER_TIMEOUT, request.send())
                .await
                .map_err(|_| Error::of_host(url, "no answer"))?
                .map_err(|error| Error::of_client(url, error))
        };
        trace::span("video host", attributes, answer).await
    }
}

/// Where an answer redirects to. `reqwest` would follow by itself, with the signed URL as `Referer`;
/// here each request is checked, timed and worded like the first.
fn target(url: &Url, response: &Response) -> Result<Option<Url>, Error> {
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
        _ => Err(Error::of_host(url, "a redirect to what is not a URL")),
    }
}
