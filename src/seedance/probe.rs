//! Whether an account's API is there and takes its key, by calls that change nothing.

use std::time::{Duration, SystemTime};

use reqwest::{
    StatusCode, Url,
    header::{DATE, HeaderMap},
};
use secrecy::ExposeSecret;
use serde_json::Value;

use super::{
    Client, Error,
    client::{MAX_RECORD, read},
    decode,
};
use crate::{config::Account, http, time::unix_seconds};

/// Longest time for one call.
const CALL_TIMEOUT: Duration = Duration::from_secs(15);
/// No service has a task of this id.
const NO_TASK: &str = "cgt-19700101000000-00000";

/// What is at an account's base URL.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// The task API, and it takes the key.
    Accepted,
    /// It does not take the key.
    Refused(String),
    /// Something else.
    NotTheApi(String),
    /// It has a fault, or is too busy to say.
    Unclear(String),
    /// Nobody.
    Unreachable(String),
    /// The key cannot be had.
    NoKey(String),
}

/// What a probe has found.
#[derive(Clone, Debug, PartialEq)]
pub struct Probe {
    /// What is there.
    pub answer: Answer,
    /// How far this machine's clock is ahead of the service's, in seconds, where it tells.
    pub clock_ahead: Option<i64>,
}

/// An answer, read whole.
struct Reply {
    status: StatusCode,
    body: Vec<u8>,
    clock_ahead: Option<i64>,
}

impl Client {
    /// Lists one task. Where the service has no list, asks about a task that there is not: an error
    /// that says so proves the key.
    pub async fn probe(&self, account: &Account) -> Probe {
        // A gateway with a path of its own has no list that is known.
        if let Some(mut list) = account.task_path.list_under(&account.base_url) {
            list.set_query(Some("page_num=1&page_size=1"));
            match self.look(account, list).await {
                Err(answer) => return Probe::without_clock(answer),
                Ok(reply) => match reply.of_list() {
                    Answer::NotTheApi(_) => {}
                    answer => return reply.with(answer),
                },
            }
        }
        match self.look(account, account.task_url(NO_TASK)).await {
            Ok(reply) => reply.with(reply.about_no_task()),
            Err(answer) => Probe::without_clock(answer),
        }
    }

    async fn look(&self, account: &Account, url: Url) -> Result<Reply, Answer> {
        let key = account.api_key.read();
        let key = key.map_err(|error| Answer::NoKey(error.to_string()))?;
        let unreachable = |error| Answer::Unreachable(http::describe(error));
        let sent = SystemTime::now();
        let request = self.http.get(url).timeout(CALL_TIMEOUT);
        let request = request.bearer_auth(key.expose_secret());
        let response = request.send().await.map_err(unreachable)?;
        let status = response.status();
        let clock_ahead = clock_ahead(response.headers(), sent);
        let body = read(response, MAX_RECORD).await;
        let body = body.map_err(|error| Answer::Unclear(error.without(&key).to_string()))?;
        Ok(Reply {
            status,
            body,
            clock_ahead,
        })
    }
}

impl Probe {
    fn without_clock(answer: Answer) -> Self {
        let clock_ahead = None;
        Self {
            answer,
            clock_ahead,
        }
    }
}

impl Reply {
    fn of_list(&self) -> Answer {
        let is_list = |body: &Value| body.get("items").is_some() || body.get("total").is_some();
        match self.common() {
            Some(answer) => answer,
            None if self.json().as_ref().is_some_and(is_list) => Answer::Accepted,
            None => Answer::NotTheApi(self.words()),
        }
    }

    fn about_no_task(&self) -> Answer {
        let says_no_task = [
            StatusCode::NOT_FOUND,
            StatusCode::GONE,
            StatusCode::BAD_REQUEST,
        ];
        let has_error = decode::error_in(&self.body).is_some();
        match self.common() {
            Some(answer) => answer,
            None if says_no_task.contains(&self.status) && has_error => Answer::Accepted,
            None if self.status.is_success() && has_error => Answer::Unclear(self.words()),
            None => Answer::NotTheApi(self.words()),
        }
    }

    /// What a status says by itself.
    fn common(&self) -> Option<Answer> {
        match self.status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Some(Answer::Refused(self.words())),
            StatusCode::TOO_MANY_REQUESTS => Some(Answer::Unclear(self.words())),
            status if status.is_server_error() => Some(Answer::Unclear(self.words())),
            status if status.is_redirection() => Some(Answer::NotTheApi(self.words())),
            _ => None,
        }
    }

    fn with(&self, answer: Answer) -> Probe {
        let clock_ahead = self.clock_ahead;
        Probe {
            answer,
            clock_ahead,
        }
    }

    fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }

    /// What came, without what somebody else's page says.
    fn words(&self) -> String {
        let status = self.status.as_u16();
        let text = String::from_utf8_lossy(&self.body);
        let what = match decode::error_in(&self.body) {
            Some(error) => error,
            None if text.trim().is_empty() => "with nothing in it".to_owned(),
            None if text.trim_start().starts_with('<') => "with a web page".to_owned(),
            None => "with no error and no task in it".to_owned(),
        };
        Error::new(super::Reaction::Unexpected, format!("HTTP {status} {what}")).to_string()
    }
}

/// The answer was made between the call and now, in a second that is told.
fn clock_ahead(headers: &HeaderMap, sent: SystemTime) -> Option<i64> {
    let date = headers.get(DATE)?.to_str().ok()?;
    let theirs = httpdate::parse_http_date(date).ok()?;
    let (earliest, latest) = (unix_seconds(sent), unix_seconds(SystemTime::now()));
    let theirs = unix_seconds(theirs);
    Some(if theirs < earliest {
        earliest - theirs
    } else if theirs > latest {
        latest - theirs
    } else {
        0
    })
}
