//! What can go wrong when asking about a task, by what the caller can do.

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use seedance_archiver_proto::{names::failure, redact};

use crate::config::{Account, CannotReadSecret};

/// Longest text of an error, in characters.
const MAX_TEXT: usize = 400;

/// What the caller can do about an error.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Reaction {
    /// The service does not know the task: too new, another region or account, purged, or past the
    /// window.
    NotFound,
    /// The service does not accept the request as it is.
    Refused,
    /// The key is not accepted: somebody has to change it.
    Unauthorized,
    /// Ask less often.
    RateLimited {
        /// How long the service wants to be left alone.
        retry_after: Option<Duration>,
    },
    /// This worker has asked as often as it may: it is no fault, and the service was not asked.
    OutOfTurn,
    /// Not reachable, or at fault: ask again.
    Unavailable,
    /// The answer is not what was asked for: ask again.
    Unexpected,
    /// The service does not have what was asked for: asking again does not help.
    NotOffered,
}

/// An error of the task API. Its text holds no key and no URL.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{text}")]
pub struct Error {
    reaction: Reaction,
    text: String,
}

impl From<CannotReadSecret> for Error {
    fn from(error: CannotReadSecret) -> Self {
        Self::new(Reaction::Unauthorized, format!("no key: {error}"))
    }
}

impl Error {
    /// The text may repeat what a server said: it is cut, and its URLs lose their queries.
    pub(super) fn new(reaction: Reaction, text: impl Into<String>) -> Self {
        let text = redact::url_queries(&text.into());
        Self {
            reaction,
            text: text.chars().take(MAX_TEXT).collect(),
        }
    }

    /// Without the key, should a server have repeated it.
    pub(super) fn without(mut self, api_key: &SecretString) -> Self {
        let api_key = api_key.expose_secret();
        if !api_key.is_empty() {
            self.text = self.text.replace(api_key, "REDACTED");
        }
        self
    }

    /// The service has no such call: it has no list.
    pub(super) fn or_no_list(self, account: &Account) -> Self {
        let text = format!(
            "the service of the account `{}` has no list of tasks: {}",
            account.name, self.text
        );
        Self::new(Reaction::NotOffered, text)
    }

    pub(super) fn with_request_id(mut self, id: &str) -> Self {
        self.text.push_str(&format!(" (request id {id})"));
        self
    }

    /// What the caller can do.
    pub fn reaction(&self) -> Reaction {
        self.reaction
    }

    /// How long the service wants to be left alone.
    pub fn retry_after(&self) -> Option<Duration> {
        match self.reaction {
            Reaction::RateLimited { retry_after } => retry_after,
            _ => None,
        }
    }

    /// The public name of this failure.
    pub fn failure_type(&self) -> &'static str {
        match self.reaction {
            Reaction::NotFound => failure::TASK_NOT_FOUND,
            Reaction::Unauthorized => failure::UNAUTHORIZED,
            Reaction::RateLimited { .. } | Reaction::OutOfTurn => failure::RATE_LIMITED,
            Reaction::Unavailable => failure::UPSTREAM_UNAVAILABLE,
            Reaction::Refused | Reaction::Unexpected | Reaction::NotOffered => {
                failure::UNEXPECTED_RESPONSE
            }
        }
    }
}
