//! Calls the task API.

use std::time::Duration;

use opentelemetry::KeyValue;
use reqwest::{
    Method, Url,
    header::{CONTENT_TYPE, HeaderMap},
};
use secrecy::ExposeSecret;
use seedance_archiver_clock::Clock;
use seedance_archiver_http::{describe, trace};
use uuid::Uuid;

use crate::{
    Endpoint, Error, ErrorKind, Record,
    call::{Call, MIB, QUERY_WAIT},
    decode, error_response,
    repeated_secrets::{Body, RepeatedSecrets},
    task::Dialect,
};

/// Timeout of a call, from connecting to the last byte of the response.
const CALL_TIMEOUT: Duration = Duration::from_secs(30);
/// Maximum wait of a query for a transfer: without the record, its known fields are archived for ever, and a URL that is
/// not queried before the query window closes cannot be had.
const PATIENT_QUERY_WAIT: Duration = Duration::from_secs(60);
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

    /// Queries a task with one request. Waits for the rate limit, and for a delay that the service requested, for at most
    /// 2 s.
    ///
    /// # Errors
    ///
    /// See [`ErrorKind`]. Nothing is retried.
    pub async fn query(&self, endpoint: &Endpoint, task_id: &str) -> Result<Record, Error> {
        self.query_in_window(endpoint, task_id, Duration::MAX).await
    }

    /// Queries a task with one request, before its query window closes: `left` is the time until then. Waits as
    /// [`query`](Self::query) does, but for less than the time left. A delay that the service requested is ignored if it
    /// is longer than that: the record can be had now or never.
    ///
    /// # Errors
    ///
    /// See [`ErrorKind`]. Nothing is retried.
    pub async fn query_in_window(
        &self,
        endpoint: &Endpoint,
        task_id: &str,
        left: Duration,
    ) -> Result<Record, Error> {
        self.query_before(endpoint, task_id, left, QUERY_WAIT).await
    }

    /// Queries a task as [`query_in_window`](Self::query_in_window) does, but waits for up to a minute.
    ///
    /// # Errors
    ///
    /// See [`ErrorKind`]. Nothing is retried.
    pub async fn query_patiently(
        &self,
        endpoint: &Endpoint,
        task_id: &str,
        left: Duration,
    ) -> Result<Record, Error> {
        self.query_before(endpoint, task_id, left, PATIENT_QUERY_WAIT)
            .await
    }

    async fn query_before(
        &self,
        endpoint: &Endpoint,
        task_id: &str,
        left: Duration,
        max_wait: Duration,
    ) -> Result<Record, Error> {
        let call = Call::for_task(Method::GET, endpoint, task_id);
        // The request takes time too.
        let longest_pause = call.longest_pause.min(left / 2);
        let call = Call {
            max_wait: max_wait.min(longest_pause),
            longest_pause,
            ..call
        };
        let decode = |body: &Body| -> Result<Record, Error> {
            let dialect = self.dialect(endpoint);
            let mut record = decode::record(&body.safe, task_id, &dialect)?;
            if let Some(body) = body.with_secrets()
                && let Some(urls) = decode::urls(body, &dialect)
            {
                record.set_urls(urls);
            }
            Ok(record)
        };
        self.call(endpoint, call, decode).await
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

    pub(crate) fn dialect<'a>(&self, endpoint: &'a Endpoint) -> Dialect<'a> {
        Dialect::new(endpoint, self.clock.now())
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
        decode: impl FnOnce(&Body) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let api_key = endpoint.key_to_send().map_err(Error::not_sent)?;
        let allowed = call.wait_for_turn(endpoint, &self.clock).await;
        allowed.map_err(Error::not_sent)?;
        let client_request_id = Uuid::new_v4().to_string();
        let request = self
            .http_of(endpoint)
            .request(call.method.clone(), call.url)
            .timeout(CALL_TIMEOUT)
            .bearer_auth(api_key.expose_secret())
            .header(CONTENT_TYPE, "application/json")
            .header(CLIENT_REQUEST_ID, &client_request_id);
        let request = match call.body {
            Some(body) => request.body(body),
            None => request,
        };
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
        let keys = endpoint.repeated_secrets(api_key);
        let request_id = request_id(&headers, &keys);
        tracing::debug!(
            subject = call.subject,
            method = %call.method,
            status = status.as_u16(),
            client_request_id,
            request_id,
            "called the task API"
        );
        let result = async {
            if status.is_success() {
                let body = read(response, call.max_body).await?;
                let decoded = decode(&keys.remove_keeping(body));
                decoded.map_err(|error| error.with_status(status.as_u16()))
            } else {
                let body = keys.remove_from(error_response::read(response).await);
                Err(error_response::error_from(
                    status,
                    &headers,
                    &body,
                    self.clock.now(),
                ))
            }
        };
        result.await.map_err(|error| {
            if let Some(time) = error.retry_after() {
                endpoint.pauses.note(call.subject, time, self.clock.now());
            }
            let error = error.redacted(&keys);
            match request_id {
                Some(id) => error.with_request_id(id),
                None => error,
            }
        })
    }
}

fn host(url: &Url) -> String {
    url.host_str().unwrap_or_default().to_owned()
}

fn unavailable(error: reqwest::Error) -> Error {
    let is_unsent = error.is_connect() || error.is_builder();
    let error = Error::new(ErrorKind::Unavailable, describe(error));
    match is_unsent {
        true => error.not_sent(),
        false => error,
    }
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

/// Returns the id of a request in the logs of the service, unless the service repeats an API key in it.
fn request_id<'a>(headers: &'a HeaderMap, keys: &RepeatedSecrets) -> Option<&'a str> {
    let id = headers.get(REQUEST_ID)?.to_str().ok()?;
    (id.len() <= MAX_REQUEST_ID && !keys.are_in(id)).then_some(id)
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };

    use axum::response::IntoResponse;

    use super::*;
    use crate::{Answer, Secret};

    /// A body that is not the API's is quoted, but cut.
    #[tokio::test]
    async fn an_excerpt_of_a_body_contains_no_part_of_the_api_key() {
        let key = "very-secret-key";
        for before in [10, 50, 59] {
            let body = format!("{}{key}", "-".repeat(before));
            let page = move || async move { (axum::http::StatusCode::NOT_FOUND, body) };
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let base_url = format!("http://{}", listener.local_addr().unwrap());
            let server = axum::Router::new().fallback(page);
            tokio::spawn(async move { axum::serve(listener, server).await });
            let secret = Secret::from(key.to_owned());
            let endpoint = Endpoint::new("default", base_url.parse().unwrap(), secret);
            let client = Client::new(seedance_archiver_http::client().unwrap());
            let error = client.query(&endpoint, "cgt-1").await.err().unwrap();
            assert!(!error.to_string().contains("ver"), "{before}: {error}");
        }
    }

    /// Starts a server that answers every request in the same way. Returns its URL, and the number of requests.
    async fn start(
        answer: impl IntoResponse + Clone + Send + Sync + 'static,
    ) -> (Url, Arc<AtomicUsize>) {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(AtomicUsize::new(0));
        let counter = requests.clone();
        let server = axum::Router::new().fallback(move || {
            counter.fetch_add(1, Ordering::Relaxed);
            let answer = answer.clone();
            async { answer }
        });
        tokio::spawn(async move { axum::serve(listener, server).await });
        (url.parse().unwrap(), requests)
    }

    #[tokio::test]
    async fn no_redirect_is_followed_with_the_api_key() {
        let (elsewhere, requests) = start("ok").await;
        let client = Client::new(seedance_archiver_http::client().unwrap());
        for status in [301, 302, 303, 307, 308] {
            let status = axum::http::StatusCode::from_u16(status).unwrap();
            let (base_url, redirects) =
                start((status, [("location", elsewhere.to_string())])).await;
            let endpoint = Endpoint::new("default", base_url, Secret::from("key".to_owned()));
            assert!(client.query(&endpoint, "cgt-1").await.is_err());
            let probe = client.probe(&endpoint, None).await;
            assert!(matches!(probe.answer, Answer::NotTheApi(_)), "{probe:?}");
            assert!(redirects.load(Ordering::Relaxed) > 1);
        }
        assert_eq!(requests.load(Ordering::Relaxed), 0);
    }

    #[tokio::test]
    async fn the_api_key_is_not_sent_unencrypted_to_a_public_host() {
        let (proxy, requests) = start("ok").await;
        let proxy = seedance_archiver_http::Proxy::parse(proxy.as_str()).unwrap();
        let client = Client::new(seedance_archiver_http::client_through(&proxy).unwrap());
        let base_url = "http://api.example/api/v3".parse().unwrap();
        let mut endpoint = Endpoint::new("default", base_url, Secret::from("key".to_owned()));
        let error = client.query(&endpoint, "cgt-1").await.err().unwrap();
        assert_eq!(error.kind(), ErrorKind::Unauthorized);
        let text = error.to_string();
        assert!(
            text.contains("`http://api.example/api/v3`") && text.contains("`allow_plain_http`"),
            "{text}"
        );
        assert!(client.cancel(&endpoint, "cgt-1").await.is_err());
        let probe = client.probe(&endpoint, None).await;
        assert!(matches!(probe.answer, Answer::NoKey(_)), "{probe:?}");
        assert_eq!(requests.load(Ordering::Relaxed), 0);

        endpoint.allow_plain_http = true;
        let _ = client.query(&endpoint, "cgt-1").await;
        assert_eq!(requests.load(Ordering::Relaxed), 1);
    }

    #[tokio::test]
    async fn a_query_does_not_wait_for_the_rate_limit_until_its_window_has_closed() {
        let (base_url, requests) = start("ok").await;
        let mut endpoint = Endpoint::new("default", base_url, Secret::from("key".to_owned()));
        endpoint.query_limit = crate::RateLimit::per_second(1.0);
        let client = Client::new(seedance_archiver_http::client().unwrap());
        let query = async |left| {
            endpoint.query_limit.wait().await;
            let record = client.query_in_window(&endpoint, "cgt-1", left).await;
            record.err().unwrap().kind()
        };
        let second = Duration::from_secs(1);
        assert_eq!(query(second).await, ErrorKind::Throttled);
        assert_eq!(requests.load(Ordering::Relaxed), 0);
        assert_eq!(query(3_600 * second).await, ErrorKind::Unexpected);
        assert_eq!(requests.load(Ordering::Relaxed), 1);
    }
}
