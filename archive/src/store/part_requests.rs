//! Requests that upload a part.
//!
//! `object_store` would retry a part that was not stored, for minutes, and the uploader would not learn that the store is
//! busy. So the errors that `object_store` would retry are changed into errors that it passes on, and
//! [`put_part`](super::put_part::put_part) sends the part again.

use std::{error, fmt, iter};

use async_trait::async_trait;
use object_store::client::{
    ClientOptions, HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse,
    HttpService,
};
use reqwest::{Method, StatusCode};
use seedance_archiver_proto::external;

/// The header by which a part is copied from another object.
const COPY_SOURCE: &str = "x-amz-copy-source";

/// A connector that passes on the errors of requests that upload a part.
#[derive(Debug)]
pub(super) struct PartRequests<C> {
    connector: C,
}

impl<C> PartRequests<C> {
    /// Returns a connector that sends requests through another one.
    pub(super) fn over(connector: C) -> Self {
        Self { connector }
    }
}

impl<C: HttpConnector> HttpConnector for PartRequests<C> {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        let client = self.connector.connect(options)?;
        Ok(HttpClient::new(Service { client }))
    }
}

#[derive(Debug)]
struct Service {
    client: HttpClient,
}

/// Why a part was not stored, if the same part may be stored later.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Transient {
    /// The store answered that it is busy, or did not answer in time: it receives too many concurrent parts.
    Busy,
    /// There was no connection, or it was interrupted, which says nothing about the load.
    Interrupted,
}

/// The reason why a part was not stored.
#[derive(Debug)]
enum PartError {
    /// The store answered with an error.
    Response { status: StatusCode, text: String },
    /// The store did not answer.
    NoAnswer { kind: HttpErrorKind, text: String },
}

#[async_trait]
impl HttpService for Service {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        if !is_part(&request) {
            return self.client.execute(request).await;
        }
        let answered = async {
            let response = self.client.execute(request).await?;
            read_error(response).await
        };
        match answered.await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(error)) => Err(unretried(error)),
            Err(error) => Err(unretried(PartError::no_answer(&error))),
        }
    }
}

impl PartError {
    fn no_answer(error: &HttpError) -> Self {
        let source = error::Error::source(error);
        Self::NoAnswer {
            kind: error.kind(),
            text: source.map_or_else(|| error.to_string(), ToString::to_string),
        }
    }

    fn transient(&self) -> Option<Transient> {
        match self {
            Self::Response { status, .. } if *status == StatusCode::NOT_IMPLEMENTED => None,
            Self::Response { .. } => Some(Transient::Busy),
            Self::NoAnswer { kind, .. } => transient_kind(*kind),
        }
    }
}

impl fmt::Display for PartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Response { status, text } => write!(f, "HTTP {}: {text}", status.as_u16()),
            Self::NoAnswer { text, .. } => f.write_str(text),
        }
    }
}

impl error::Error for PartError {}

/// Returns why a part was not stored, or `None` if the store would not store it later either.
pub(super) fn transient(error: &object_store::Error) -> Option<Transient> {
    let transient = |error: &(dyn error::Error + 'static)| {
        let part = error.downcast_ref().and_then(PartError::transient);
        let http = error.downcast_ref::<HttpError>();
        part.or_else(|| http.and_then(|error| transient_kind(error.kind())))
    };
    let error: &(dyn error::Error + 'static) = error;
    iter::successors(Some(error), |error| error.source()).find_map(transient)
}

/// Sorts the kinds of errors that `object_store` would retry. A part can always be sent again.
fn transient_kind(kind: HttpErrorKind) -> Option<Transient> {
    match kind {
        HttpErrorKind::Timeout => Some(Transient::Busy),
        HttpErrorKind::Connect | HttpErrorKind::Request | HttpErrorKind::Interrupted => {
            Some(Transient::Interrupted)
        }
        _ => None,
    }
}

/// Returns the response, unless it is one after which `object_store` would send the part again.
async fn read_error(response: HttpResponse) -> Result<Result<HttpResponse, PartError>, HttpError> {
    let status = response.status();
    let is_transient = status.is_server_error()
        || status == StatusCode::TOO_MANY_REQUESTS
        || status == StatusCode::REQUEST_TIMEOUT;
    if !is_transient {
        return Ok(Ok(response));
    }
    let body = response.into_body().bytes().await?;
    let text = external::quote(&String::from_utf8_lossy(&body));
    Ok(Err(PartError::Response { status, text }))
}

/// Returns an error that `object_store` does not retry.
fn unretried(error: PartError) -> HttpError {
    HttpError::new(HttpErrorKind::Unknown, error)
}

/// Returns whether a request uploads the bytes of a part.
fn is_part(request: &HttpRequest) -> bool {
    let query = request.uri().query().unwrap_or_default();
    let has = |name: &str| query.split('&').any(|it| it.starts_with(name));
    request.method() == Method::PUT
        && has("partNumber=")
        && has("uploadId=")
        && !request.headers().contains_key(COPY_SOURCE)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use object_store::client::HttpRequestBody;
    use reqwest::header::HeaderValue;

    use super::*;

    fn request(method: Method, query: &str) -> HttpRequest {
        let mut request = HttpRequest::new(HttpRequestBody::from(Vec::new()));
        *request.method_mut() = method;
        *request.uri_mut() = format!("http://store/bucket/key?{query}").parse().unwrap();
        request
    }

    #[test]
    fn only_the_bytes_of_a_part_are_a_part() {
        let part = request(Method::PUT, "partNumber=1&uploadId=u");
        assert!(is_part(&part));
        let mut copied = part;
        let source = HeaderValue::from_static("bucket/staged");
        copied.headers_mut().insert(COPY_SOURCE, source);
        assert!(!is_part(&copied));
        for (method, query) in [
            (Method::POST, "uploadId=u"),
            (Method::GET, "partNumber=1&uploadId=u"),
            (Method::PUT, "x-id=PutObject"),
        ] {
            assert!(!is_part(&request(method, query)), "{query}");
        }
    }

    /// Returns the error of a part that the store answers with a status, as `object_store` passes it on.
    fn error_of(status: StatusCode) -> Option<object_store::Error> {
        let body = Bytes::from("<Token-0>FwoGZXIvYXdzEJr</Token-0><Code>SlowDown</Code>");
        let mut response = HttpResponse::new(body.into());
        *response.status_mut() = status;
        let answer = futures::executor::block_on(read_error(response)).unwrap();
        Some(passed_on(answer.err()?))
    }

    fn passed_on(error: PartError) -> object_store::Error {
        let (store, source) = ("S3", Box::new(unretried(error)));
        object_store::Error::Generic { store, source }
    }

    #[test]
    fn the_statuses_of_a_busy_store_are_transient() {
        for status in [408, 429, 500, 502, 503, 504] {
            let error = error_of(StatusCode::from_u16(status).unwrap()).unwrap();
            assert_eq!(transient(&error), Some(Transient::Busy), "{error}");
            let text = error.to_string();
            assert!(text.contains(&format!("HTTP {status}")), "{text}");
            assert!(text.contains("SlowDown"), "{text}");
            assert!(!text.contains("FwoG"), "{text}");
        }
        let unsupported = error_of(StatusCode::NOT_IMPLEMENTED).unwrap();
        assert_eq!(transient(&unsupported), None);
        for status in [200, 400, 403, 404, 409, 412] {
            assert!(error_of(StatusCode::from_u16(status).unwrap()).is_none());
        }
    }

    #[test]
    fn only_a_timeout_means_that_a_store_without_an_answer_is_busy() {
        for (kind, expected) in [
            (HttpErrorKind::Timeout, Some(Transient::Busy)),
            (HttpErrorKind::Connect, Some(Transient::Interrupted)),
            (HttpErrorKind::Request, Some(Transient::Interrupted)),
            (HttpErrorKind::Interrupted, Some(Transient::Interrupted)),
            (HttpErrorKind::Decode, None),
            (HttpErrorKind::Unknown, None),
        ] {
            let error = HttpError::new(kind, std::io::Error::other("no answer"));
            let error = passed_on(PartError::no_answer(&error));
            assert_eq!(transient(&error), expected, "{kind:?}");
        }
    }
}
