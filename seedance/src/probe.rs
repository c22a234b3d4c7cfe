//! Checks that an endpoint is the task API and accepts its key, by calls that change nothing.

use std::time::{Duration, SystemTime};

use reqwest::{
    StatusCode, Url,
    header::{DATE, HeaderMap},
};
use secrecy::ExposeSecret;
use seedance_archiver_http::describe;
use seedance_archiver_proto::time::unix_seconds;
use serde_json::Value;

use crate::{
    Client, Endpoint, Error, ErrorKind, call::MAX_RECORD, client::read, error_body::ErrorBody,
    json, repeated_secrets::RepeatedSecrets,
};

/// Timeout of one call.
const CALL_TIMEOUT: Duration = Duration::from_secs(15);
/// A task id that no service has.
const NO_TASK: &str = "cgt-19700101000000-00000";

/// What is at the base URL of an endpoint.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// The task API, which accepted the key.
    Accepted,
    /// The task API, which rejected the key with this error.
    Rejected(String),
    /// The task API, which accepted the key for queries, but rejected the list of tasks with this error.
    CannotList(String),
    /// Another server: its response, described.
    NotTheApi(String),
    /// A server that failed or is too busy: its error.
    Unclear(String),
    /// No server: the error of the connection.
    Unreachable(String),
    /// The key cannot be read or must not be sent, so no request was sent.
    NoKey(String),
}

/// The result of a probe.
#[derive(Clone, Debug, PartialEq)]
pub struct Probe {
    /// What is at the base URL.
    pub answer: Answer,
    /// How far the clock of this machine is ahead of the service's, in seconds. `None` if the service sent
    /// no `Date`.
    pub clock_ahead: Option<i64>,
}

/// A response, read to its end.
struct Reply {
    status: StatusCode,
    body: Vec<u8>,
    clock_ahead: Option<i64>,
    /// The keys that the body may have repeated.
    keys: RepeatedSecrets,
}

impl Client {
    /// Probes an endpoint: lists one task, of this model if there is one. A service without a list, or one that rejects
    /// the list, is queried for a task that does not exist; an error that says so proves that the key is accepted.
    pub async fn probe(&self, endpoint: &Endpoint, model: Option<&str>) -> Probe {
        let mut list_rejected = None;
        if let Some(list) = list_of_one(endpoint, model) {
            match self.get(endpoint, list).await {
                Err(answer) => return Probe::without_clock(answer),
                Ok(reply) => match reply.to_list() {
                    Answer::NotTheApi(_) => {}
                    Answer::Rejected(error) => list_rejected = Some(error),
                    answer => return reply.with(answer),
                },
            }
        }
        match self.get(endpoint, endpoint.task_url(NO_TASK)).await {
            Ok(reply) => reply.with(match (reply.to_query_of_no_task(), list_rejected) {
                (Answer::Accepted, Some(error)) => Answer::CannotList(error),
                (_, Some(error)) => Answer::Rejected(error),
                (answer, None) => answer,
            }),
            Err(answer) => Probe::without_clock(answer),
        }
    }

    async fn get(&self, endpoint: &Endpoint, url: Url) -> Result<Reply, Answer> {
        let api_key = endpoint.key_to_send();
        let api_key = api_key.map_err(|error| Answer::NoKey(error.to_string()))?;
        let sent_at = self.clock().now();
        let request = self.http_of(endpoint).get(url).timeout(CALL_TIMEOUT);
        let response = request
            .bearer_auth(api_key.expose_secret())
            .send()
            .await
            .map_err(|error| Answer::Unreachable(describe(error)))?;
        let status = response.status();
        let clock_ahead = clock_ahead(response.headers(), sent_at, self.clock().now());
        let body = read(response, MAX_RECORD).await;
        let keys = endpoint.repeated_secrets(api_key);
        let body = body.map_err(|error| Answer::Unclear(error.redacted(&keys).to_string()))?;
        Ok(Reply {
            status,
            body: keys.remove_from(body),
            clock_ahead,
            keys,
        })
    }
}

fn list_of_one(endpoint: &Endpoint, model: Option<&str>) -> Option<Url> {
    let mut list = endpoint.list_url()?;
    let page = [("page_num", "1"), ("page_size", "1")];
    let model = model.map(|model| ("filter.model", model));
    list.query_pairs_mut()
        .extend_pairs(page.into_iter().chain(model));
    Some(list)
}

impl Probe {
    fn without_clock(answer: Answer) -> Self {
        Self {
            answer,
            clock_ahead: None,
        }
    }
}

impl Reply {
    fn to_list(&self) -> Answer {
        let is_list = |body: &Value| body.get("items").is_some() || body.get("total").is_some();
        match self.by_status() {
            Some(answer) => answer,
            None if self.json().as_ref().is_some_and(is_list) => Answer::Accepted,
            None => Answer::NotTheApi(self.describe()),
        }
    }

    fn to_query_of_no_task(&self) -> Answer {
        let means_no_task = [
            StatusCode::NOT_FOUND,
            StatusCode::GONE,
            StatusCode::BAD_REQUEST,
        ];
        let has_error = ErrorBody::read(&self.body).is_some();
        match self.by_status() {
            Some(answer) => answer,
            None if means_no_task.contains(&self.status) && has_error => Answer::Accepted,
            None if self.status.is_success() && has_error => Answer::Unclear(self.describe()),
            None => Answer::NotTheApi(self.describe()),
        }
    }

    /// Returns the answer if the status alone decides it.
    fn by_status(&self) -> Option<Answer> {
        match self.status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                Some(Answer::Rejected(self.describe()))
            }
            StatusCode::TOO_MANY_REQUESTS => Some(Answer::Unclear(self.describe())),
            status if status.is_server_error() => Some(Answer::Unclear(self.describe())),
            status if status.is_redirection() => Some(Answer::NotTheApi(self.describe())),
            _ => None,
        }
    }

    fn with(&self, answer: Answer) -> Probe {
        Probe {
            answer,
            clock_ahead: self.clock_ahead,
        }
    }

    fn json(&self) -> Option<Value> {
        json::read_json(&self.body)
    }

    /// Describes the response: its error, or only the form of a body that is not the API's.
    fn describe(&self) -> String {
        let status = self.status.as_u16();
        let body = String::from_utf8_lossy(&self.body);
        let body = match ErrorBody::read(&self.body) {
            Some(error) => error.text(),
            None if body.trim().is_empty() => "with an empty body".to_owned(),
            None if body.trim_start().starts_with('<') => "with an HTML page".to_owned(),
            None => "with neither an error nor a task".to_owned(),
        };
        Error::new(ErrorKind::Unexpected, format!("HTTP {status} {body}"))
            .redacted(&self.keys)
            .to_string()
    }
}

/// Returns how far the clock of this machine is ahead. The service wrote its `Date`, rounded to a second,
/// between the request and now.
fn clock_ahead(headers: &HeaderMap, sent_at: SystemTime, now: SystemTime) -> Option<i64> {
    let date = headers.get(DATE)?.to_str().ok()?;
    let date = unix_seconds(httpdate::parse_http_date(date).ok()?);
    let (earliest, latest) = (unix_seconds(sent_at), unix_seconds(now));
    Some(if date < earliest {
        earliest - date
    } else if date > latest {
        latest - date
    } else {
        0
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rejection_that_echoes_the_api_key_does_not_show_it() {
        let reply = Reply {
            status: StatusCode::UNAUTHORIZED,
            body: br#"{"error": {"message": "the key very-secret is invalid"}}"#.to_vec(),
            clock_ahead: None,
            keys: RepeatedSecrets::new("very-secret".into(), Vec::new()),
        };
        let rejected = Answer::Rejected("HTTP 401 the key REDACTED is invalid".to_owned());
        assert_eq!(reply.to_list(), rejected);
    }
}
