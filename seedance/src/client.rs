//! Calls the task API.

use std::time::{Duration, Instant, SystemTime};

use metrics::histogram;
use opentelemetry::KeyValue;
use reqwest::{
    Method, StatusCode, Url,
    header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER},
};
use secrecy::ExposeSecret;
use seedance_archiver_clock::Clock;
use seedance_archiver_http::{describe, trace};
use uuid::Uuid;

use crate::{Endpoint, Error, ErrorKind, RateLimit, Record, decode};

/// Metric: how long calls waited for the account's rate limit, which is called the *budget* in metric names.
pub const RATE_LIMIT_WAIT: &str = "seedance_archiver_budget_wait_seconds";

/// Timeout of a call, from connecting to the last byte of the response.
const CALL_TIMEOUT: Duration = Duration::from_secs(30);
/// Maximum wait of a query for the rate limit. The query holds an activity slot meanwhile.
const QUERY_WAIT: Duration = Duration::from_secs(1);
/// Maximum size of a record, in bytes. Records have a few kilobytes, and must fit into a Temporal payload.
pub(crate) const MAX_RECORD: usize = MIB;

/// Bytes of a mebibyte.
pub(crate) const MIB: usize = 1024 * 1024;

/// Maximum length of a request id that is repeated in an error.
const MAX_REQUEST_ID: usize = 128;
/// Header with the id of a request in the logs of this process.
const CLIENT_REQUEST_ID: &str = "x-client-request-id";
/// Header with the id of a request in the logs of the service.
const REQUEST_ID: &str = "x-request-id";

/// A client of the task API, for any endpoint. Clones share a connection pool.
#[derive(Clone, Debug)]
pub struct Client {
    pub(crate) http: reqwest::Client,
    clock: Clock,
}

impl Client {
    /// Returns a client that uses this connection pool.
    pub fn new(http: reqwest::Client) -> Self {
        Self {
            http,
            clock: Clock::default(),
        }
    }

    /// Sets the clock.
    pub fn with_clock(self, clock: Clock) -> Self {
        Self { clock, ..self }
    }

    /// Returns the clock. What depends on the time of a response uses this clock too.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Queries a task with one request.
    ///
    /// # Errors
    ///
    /// See [`ErrorKind`]. Nothing is retried.
    pub async fn query(&self, endpoint: &Endpoint, task_id: &str) -> Result<Record, Error> {
        let call = Call::for_task(Method::GET, endpoint, task_id);
        let aliases = &endpoint.status_aliases;
        self.call(endpoint, call, |body| {
            decode::record(body, task_id, aliases)
        })
        .await
    }

    /// Cancels a queued task with one request. The service refuses to cancel a running task, but **deletes the
    /// record** of a task that ended: query the task first.
    ///
    /// # Errors
    ///
    /// See [`ErrorKind`]. Nothing is retried.
    pub async fn cancel(&self, endpoint: &Endpoint, task_id: &str) -> Result<(), Error> {
        let call = Call::for_task(Method::DELETE, endpoint, task_id);
        self.call(endpoint, call, |_| Ok(())).await
    }

    /// Returns the HTTP client for an endpoint.
    pub(crate) fn http_of<'a>(&'a self, endpoint: &'a Endpoint) -> &'a reqwest::Client {
        endpoint.http.as_ref().unwrap_or(&self.http)
    }

    /// Sends one request.
    pub(crate) async fn call<T>(
        &self,
        endpoint: &Endpoint,
        call: Call<'_>,
        decode: impl FnOnce(&[u8]) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let api_key = endpoint.api_key.read()?;
        call.wait_for_rate_limit(&endpoint.account).await?;
        let client_request_id = Uuid::new_v4().to_string();
        let request = self
            .http_of(endpoint)
            .request(call.method.clone(), call.url)
            .timeout(CALL_TIMEOUT)
            .bearer_auth(api_key.expose_secret())
            .header(CONTENT_TYPE, "application/json")
            .header(CLIENT_REQUEST_ID, &client_request_id);
        let attributes = [
            KeyValue::new("http.request.method", call.method.to_string()),
            KeyValue::new("server.address", host(&endpoint.base_url)),
            KeyValue::new("seedance.account", endpoint.account.clone()),
        ];
        let response = trace::span("task API", attributes, request.send())
            .await
            .map_err(unavailable)?;
        let status = response.status();
        let headers = response.headers().clone();
        let request_id = request_id(&headers);
        tracing::debug!(
            subject = call.subject,
            method = %call.method,
            status = status.as_u16(),
            client_request_id,
            request_id,
            "called the task API"
        );
        let result = async {
            let body = read(response, call.max_body).await?;
            if status.is_success() {
                decode(&body)
            } else {
                Err(error_from(status, &headers, &body, self.clock.now()))
            }
        };
        result.await.map_err(|error| {
            let error = error.redacted(&api_key);
            match request_id {
                Some(id) => error.with_request_id(id),
                None => error,
            }
        })
    }
}

/// A call of the API.
pub(crate) struct Call<'a> {
    pub(crate) method: Method,
    pub(crate) url: Url,
    /// The label `call` of metrics: `query` or `list`.
    pub(crate) kind: &'static str,
    /// What the call is about, for logs: a task id, or `list`.
    pub(crate) subject: &'a str,
    pub(crate) rate_limit: &'a RateLimit,
    /// Maximum wait for the rate limit.
    pub(crate) max_wait: Duration,
    /// Maximum size of the response, in bytes.
    pub(crate) max_body: usize,
}

impl<'a> Call<'a> {
    fn for_task(method: Method, endpoint: &'a Endpoint, task_id: &'a str) -> Self {
        Self {
            method,
            url: endpoint.task_url(task_id),
            kind: "query",
            subject: task_id,
            rate_limit: &endpoint.query_limit,
            max_wait: QUERY_WAIT,
            max_body: MAX_RECORD,
        }
    }

    async fn wait_for_rate_limit(&self, account: &str) -> Result<(), Error> {
        let started = Instant::now();
        let allowed = self.rate_limit.wait_up_to(self.max_wait).await;
        histogram!(RATE_LIMIT_WAIT, "account" => account.to_owned(), "call" => self.kind)
            .record(started.elapsed());
        allowed.map_err(|text| Error::new(ErrorKind::Throttled, text))
    }
}

fn host(url: &Url) -> String {
    url.host_str().unwrap_or_default().to_owned()
}

fn unavailable(error: reqwest::Error) -> Error {
    Error::new(ErrorKind::Unavailable, describe(error))
}

/// Reads a body of at most `max` bytes.
pub(crate) async fn read(mut response: reqwest::Response, max: usize) -> Result<Vec<u8>, Error> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(unavailable)? {
        if body.len() + chunk.len() > max {
            let text = format!("the response is larger than {} MiB", max / MIB);
            return Err(Error::new(ErrorKind::Unexpected, text));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// Returns the error of an unsuccessful response: the status decides its kind, the body its text.
fn error_from(status: StatusCode, headers: &HeaderMap, body: &[u8], now: SystemTime) -> Error {
    let kind = match status {
        StatusCode::NOT_FOUND | StatusCode::GONE => ErrorKind::NotFound,
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => ErrorKind::Unauthorized,
        StatusCode::TOO_MANY_REQUESTS => ErrorKind::RateLimited {
            retry_after: retry_after(headers, now),
        },
        StatusCode::BAD_REQUEST => ErrorKind::Rejected,
        status if status.is_server_error() => ErrorKind::Unavailable,
        _ => ErrorKind::Unexpected,
    };
    let message = decode::error_in(body).unwrap_or_default();
    let text = format!("HTTP {} {message}", status.as_u16());
    Error::new(kind, text.trim_end())
}

fn request_id(headers: &HeaderMap) -> Option<&str> {
    headers
        .get(REQUEST_ID)?
        .to_str()
        .ok()
        .filter(|id| id.len() <= MAX_REQUEST_ID)
}

/// Reads `Retry-After`, in seconds or as an HTTP date.
fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    Some(date.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: &'static str, value: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(name, value.parse().unwrap());
        headers
    }

    fn error(status: StatusCode, body: &[u8]) -> Error {
        error_from(status, &HeaderMap::new(), body, SystemTime::UNIX_EPOCH)
    }

    #[test]
    fn reads_both_forms_of_retry_after() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        let wait = |value| retry_after(&headers("retry-after", value), now);
        assert_eq!(wait("120"), Some(Duration::from_secs(120)));
        assert_eq!(
            wait("Sun, 06 Nov 1994 08:50:37 GMT"),
            Some(Duration::from_secs(60))
        );
        assert_eq!(wait("Sun, 06 Nov 1994 08:00:00 GMT"), Some(Duration::ZERO));
        assert_eq!(wait("soon"), None);
    }

    #[test]
    fn the_status_decides_the_kind() {
        let kind = |status| {
            let status = StatusCode::from_u16(status).unwrap();
            error(status, b"<html>").kind()
        };
        assert_eq!(kind(400), ErrorKind::Rejected);
        assert_eq!(kind(401), ErrorKind::Unauthorized);
        assert_eq!(kind(403), ErrorKind::Unauthorized);
        assert_eq!(kind(404), ErrorKind::NotFound);
        assert_eq!(kind(418), ErrorKind::Unexpected);
        assert_eq!(kind(429), ErrorKind::RateLimited { retry_after: None });
        assert_eq!(kind(503), ErrorKind::Unavailable);
    }

    #[test]
    fn an_error_quotes_the_service() {
        let body = br#"{"error": {"code": "AuthenticationError", "message": "invalid key"}}"#;
        assert_eq!(
            error(StatusCode::UNAUTHORIZED, body).to_string(),
            "HTTP 401 AuthenticationError: invalid key"
        );
        let page = error(StatusCode::BAD_GATEWAY, b"<html>nginx</html>");
        assert_eq!(page.to_string(), "HTTP 502");
    }
}
