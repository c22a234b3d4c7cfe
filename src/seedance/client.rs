//! Calls the task API.

use std::time::{Duration, Instant, SystemTime};

use opentelemetry::KeyValue;
use reqwest::{
    Method, StatusCode, Url,
    header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER},
};
use secrecy::ExposeSecret;
use uuid::Uuid;

use super::{Budget, Error, Reaction, Record, decode};
use crate::{
    config::Account,
    http,
    telemetry::{record, traces},
};

/// Longest time for a call and its whole answer.
const CALL_TIMEOUT: Duration = Duration::from_secs(30);
/// Longest wait for a turn at a question: it holds a slot meanwhile.
const QUESTION_WAIT: Duration = Duration::from_secs(1);
/// Largest answer to a question. A record has a few kilobytes, and must fit into a Temporal payload.
pub(super) const MAX_RECORD: usize = MIB;

/// A mebibyte.
pub(super) const MIB: usize = 1024 * 1024;

/// Longest request id that is passed on.
const MAX_REQUEST_ID: usize = 128;
/// Names a request in this side's logs.
const CLIENT_REQUEST_ID: &str = "x-client-request-id";
/// Names it in the service's.
const REQUEST_ID: &str = "x-request-id";

/// A client of the task API, for any account. Clones share one connection pool.
#[derive(Clone, Debug)]
pub struct Client {
    pub(super) http: reqwest::Client,
}

impl Client {
    /// A client over this connection pool.
    pub fn new(http: reqwest::Client) -> Self {
        Self { http }
    }

    /// Asks for the record of a task: one request.
    pub async fn query(&self, account: &Account, task_id: &str) -> Result<Record, Error> {
        self.call(
            account,
            Call::about(Method::GET, account, task_id),
            |body| decode::record(body, task_id, &account.statuses),
        )
        .await
    }

    /// Cancels a queued task. The service refuses to cancel a running one, but **deletes the record**
    /// of one that has ended: ask first.
    pub async fn cancel(&self, account: &Account, task_id: &str) -> Result<(), Error> {
        let call = Call::about(Method::DELETE, account, task_id);
        self.call(account, call, |_| Ok(())).await
    }

    /// Makes a call: one request.
    pub(super) async fn call<T>(
        &self,
        account: &Account,
        call: Call<'_>,
        decode: impl FnOnce(&[u8]) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let api_key = account.api_key.read()?;
        let asked = Instant::now();
        let turn = call.budget.turn(call.longest_wait).await;
        record::waited(&account.name, call.kind, asked.elapsed());
        turn.map_err(|text| Error::new(Reaction::OutOfTurn, text))?;
        let sent_id = Uuid::new_v4().to_string();
        let request = self
            .http
            .request(call.method.clone(), call.url)
            .timeout(CALL_TIMEOUT)
            .bearer_auth(api_key.expose_secret())
            .header(CONTENT_TYPE, "application/json")
            .header(CLIENT_REQUEST_ID, &sent_id);
        let attributes = [
            KeyValue::new("http.request.method", call.method.to_string()),
            KeyValue::new("server.address", host(&account.base_url)),
            KeyValue::new("seedance.account", account.name.clone()),
        ];
        let response = traces::span("task API", attributes, request.send())
            .await
            .map_err(|error| Error::new(Reaction::Unavailable, http::describe(error)))?;
        let status = response.status();
        let headers = response.headers().clone();
        let received_id = request_id(&headers);
        tracing::debug!(
            about = call.about,
            method = %call.method,
            status = status.as_u16(),
            client_request_id = sent_id,
            request_id = received_id,
            "called the task API"
        );
        let answer = async {
            let body = read(response, call.max_answer).await?;
            if status.is_success() {
                decode(&body)
            } else {
                Err(refusal(status, &headers, &body))
            }
        };
        answer.await.map_err(|error| {
            let error = error.without(&api_key);
            match received_id {
                Some(id) => error.with_request_id(id),
                None => error,
            }
        })
    }
}

/// One call of the API.
pub(super) struct Call<'a> {
    pub(super) method: Method,
    pub(super) url: Url,
    /// What metrics call it: `query`, `list`, …
    pub(super) kind: &'static str,
    /// What logs call it.
    pub(super) about: &'a str,
    /// How often such calls may be made.
    pub(super) budget: &'a Budget,
    /// Longest wait for a turn.
    pub(super) longest_wait: Duration,
    /// Largest answer that is read, in bytes.
    pub(super) max_answer: usize,
}

impl<'a> Call<'a> {
    /// One about a task.
    fn about(method: Method, account: &'a Account, task_id: &'a str) -> Self {
        Self {
            method,
            url: account.task_url(task_id),
            kind: "query",
            about: task_id,
            budget: &account.budget,
            longest_wait: QUESTION_WAIT,
            max_answer: MAX_RECORD,
        }
    }
}

fn host(url: &Url) -> String {
    url.host_str().unwrap_or_default().to_owned()
}

pub(super) async fn read(mut response: reqwest::Response, most: usize) -> Result<Vec<u8>, Error> {
    let mut body = Vec::new();
    while let Some(chunk) = response
        .chunk()
        .await
        .map_err(|error| Error::new(Reaction::Unavailable, http::describe(error)))?
    {
        if body.len() + chunk.len() > most {
            return Err(Error::new(
                Reaction::Unexpected,
                format!("the answer is larger than {} MiB", most / MIB),
            ));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// An answer that is not a success. The status says what can be done; the body says it in words.
fn refusal(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Error {
    let reaction = match status {
        StatusCode::NOT_FOUND | StatusCode::GONE => Reaction::NotFound,
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Reaction::Unauthorized,
        StatusCode::TOO_MANY_REQUESTS => Reaction::RateLimited {
            retry_after: retry_after(headers, SystemTime::now()),
        },
        StatusCode::BAD_REQUEST => Reaction::Refused,
        status if status.is_server_error() => Reaction::Unavailable,
        _ => Reaction::Unexpected,
    };
    let words = decode::error_in(body).unwrap_or_default();
    Error::new(
        reaction,
        format!("HTTP {} {words}", status.as_u16()).trim_end(),
    )
}

fn request_id(headers: &HeaderMap) -> Option<&str> {
    headers
        .get(REQUEST_ID)?
        .to_str()
        .ok()
        .filter(|id| id.len() <= MAX_REQUEST_ID)
}

/// `Retry-After`, in seconds or as an HTTP date.
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
    fn the_status_decides_what_can_be_done() {
        let reaction = |status| {
            refusal(
                StatusCode::from_u16(status).unwrap(),
                &HeaderMap::new(),
                b"<html>",
            )
            .reaction()
        };
        assert_eq!(reaction(400), Reaction::Refused);
        assert_eq!(reaction(401), Reaction::Unauthorized);
        assert_eq!(reaction(403), Reaction::Unauthorized);
        assert_eq!(reaction(404), Reaction::NotFound);
        assert_eq!(reaction(418), Reaction::Unexpected);
        assert_eq!(reaction(429), Reaction::RateLimited { retry_after: None });
        assert_eq!(reaction(503), Reaction::Unavailable);
    }

    #[test]
    fn a_refusal_repeats_what_the_service_said() {
        let body = br#"{"error": {"code": "AuthenticationError", "message": "invalid key"}}"#;
        let error = refusal(StatusCode::UNAUTHORIZED, &HeaderMap::new(), body);
        assert_eq!(
            error.to_string(),
            "HTTP 401 AuthenticationError: invalid key"
        );
        let error = refusal(
            StatusCode::BAD_GATEWAY,
            &HeaderMap::new(),
            b"<html>nginx</html>",
        );
        assert_eq!(error.to_string(), "HTTP 502");
    }
}
