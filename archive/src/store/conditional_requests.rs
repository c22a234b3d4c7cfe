//! Conditional requests to S3.
//!
//! `object_store` does not support `If-None-Match: *` for `CompleteMultipartUpload`, so it is added here, after the
//! request is signed; S3 does not require a signature of this header. Two responses to conditional requests are
//! handled here too, because `object_store` would misread them: 409, which it takes for an existing object, and
//! 501, which it retries for minutes.

use std::{error, iter, time::Duration};

use async_trait::async_trait;
use backon::{BackoffBuilder, ExponentialBuilder};
use object_store::client::{
    ClientOptions, HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse,
    HttpService, ReqwestConnector,
};
use reqwest::{
    Method, StatusCode,
    header::{HeaderValue, IF_MATCH, IF_NONE_MATCH},
};

/// Delay before a request is repeated after a conflict. It doubles each time.
const CONFLICT_DELAY: Duration = Duration::from_millis(200);
/// How often a request is repeated after a conflict: for about six seconds.
const CONFLICT_RETRIES: usize = 5;
/// Maximum length of a response that an error repeats.
const MAX_QUOTED: usize = 300;

/// Error codes of S3 for a conditional request that competed with another request. Nothing was written.
const CONFLICTS: [&str; 2] = ["ConditionalRequestConflict", "OperationAborted"];
/// Texts in the responses of stores that do not know the header.
const UNSUPPORTED: [&str; 4] = [
    "NotImplemented",
    "not implemented",
    "If-None-Match",
    "if-none-match",
];

/// A connector that handles the responses to conditional requests.
#[derive(Debug, Default)]
pub(super) struct ConditionalRequests {
    connector: ReqwestConnector,
    adds_condition: bool,
}

impl ConditionalRequests {
    /// Returns a connector that also adds `If-None-Match: *` to `CompleteMultipartUpload`, which then fails if the
    /// key exists.
    pub(super) fn with_conditional_complete() -> Self {
        Self {
            adds_condition: true,
            ..Self::default()
        }
    }
}

impl HttpConnector for ConditionalRequests {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(Service {
            client: self.connector.connect(options)?,
            adds_condition: self.adds_condition,
        }))
    }
}

#[derive(Debug)]
struct Service {
    client: HttpClient,
    adds_condition: bool,
}

/// A response to a conditional request that is not the answer to its condition.
#[derive(Debug, thiserror::Error)]
enum ConditionError {
    /// The store does not support the condition.
    #[error("the store does not support the condition: HTTP {status}: {text}")]
    Unsupported { status: u16, text: String },
    /// Another request for the same key was in progress, each time.
    #[error("conflict with another request for the same key: HTTP 409: {0}")]
    Conflict(String),
}

#[async_trait]
impl HttpService for Service {
    async fn call(&self, mut request: HttpRequest) -> Result<HttpResponse, HttpError> {
        if self.adds_condition && is_complete_multipart_upload(&request) {
            let any = HeaderValue::from_static("*");
            request.headers_mut().insert(IF_NONE_MATCH, any);
        }
        if !is_conditional_write(&request) {
            return self.client.execute(request).await;
        }
        let mut delays = ExponentialBuilder::default()
            .with_min_delay(CONFLICT_DELAY)
            .with_max_times(CONFLICT_RETRIES)
            .build();
        loop {
            let response = self.client.execute(request.clone()).await?;
            match read_condition_error(response).await? {
                Ok(response) => return Ok(response),
                Err(error @ ConditionError::Unsupported { .. }) => return Err(unretried(error)),
                Err(error @ ConditionError::Conflict(_)) => match delays.next() {
                    Some(delay) => tokio::time::sleep(delay).await,
                    None => return Err(unretried(error)),
                },
            }
        }
    }
}

/// Returns whether a store rejected the condition of a request, instead of answering it.
pub(super) fn is_unsupported(error: &object_store::Error) -> bool {
    use object_store::Error::{NotImplemented, NotSupported};
    if matches!(error, NotImplemented { .. } | NotSupported { .. }) {
        return true;
    }
    sources(error)
        .filter_map(|error| error.downcast_ref::<ConditionError>())
        .any(|error| matches!(error, ConditionError::Unsupported { .. }))
}

fn sources<'a>(
    error: &'a (dyn error::Error + 'static),
) -> impl Iterator<Item = &'a (dyn error::Error + 'static)> {
    iter::successors(Some(error), |error| error.source())
}

/// Returns the response, unless it is a [`ConditionError`].
async fn read_condition_error(
    response: HttpResponse,
) -> Result<Result<HttpResponse, ConditionError>, HttpError> {
    let status = response.status();
    if !matches!(
        status,
        StatusCode::BAD_REQUEST
            | StatusCode::METHOD_NOT_ALLOWED
            | StatusCode::CONFLICT
            | StatusCode::NOT_IMPLEMENTED
    ) {
        return Ok(Ok(response));
    }
    let (parts, body) = response.into_parts();
    let body = body.bytes().await?;
    let text = String::from_utf8_lossy(&body);
    let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
    let quoted = || text.chars().take(MAX_QUOTED).collect::<String>();
    let is_unsupported = status == StatusCode::NOT_IMPLEMENTED || has(&UNSUPPORTED);
    Ok(match status {
        StatusCode::CONFLICT if has(&CONFLICTS) => Err(ConditionError::Conflict(quoted())),
        StatusCode::CONFLICT => Ok(HttpResponse::from_parts(parts, body.into())),
        _ if is_unsupported => Err(ConditionError::Unsupported {
            status: status.as_u16(),
            text: quoted(),
        }),
        _ => Ok(HttpResponse::from_parts(parts, body.into())),
    })
}

/// Returns an error that `object_store` does not retry.
fn unretried(error: ConditionError) -> HttpError {
    HttpError::new(HttpErrorKind::Unknown, error)
}

/// Returns whether a request writes only under a condition. The header of a copy has another name in each store.
fn is_conditional_write(request: &HttpRequest) -> bool {
    let mut names = request.headers().keys();
    let is_write = request.method() == Method::PUT || request.method() == Method::POST;
    is_write
        && names.any(|name| name == IF_MATCH || name.as_str().ends_with(IF_NONE_MATCH.as_str()))
}

fn is_complete_multipart_upload(request: &HttpRequest) -> bool {
    let query = request.uri().query().unwrap_or_default();
    request.method() == Method::POST && query.split('&').any(|it| it.starts_with("uploadId="))
}
