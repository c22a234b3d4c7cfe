//! The task API as one account uses it.

use std::path::PathBuf;

use reqwest::Url;
use secrecy::SecretString;
use seedance_archiver_http::{Network, unencrypted};

use crate::{
    Error, ErrorKind, RateLimit, Secret, StatusAliases, TaskPath, pauses::Pauses, read_lines,
    repeated_secrets::RepeatedSecrets,
};

/// Maximum number of tasks on a page of the list.
pub const MAX_PAGE_SIZE: usize = 500;

/// The task API of one account: URLs, API key and rate limits.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// Name of the account, for errors, logs and metrics.
    pub account: String,
    /// Base URL of the API, e.g. `https://ark.ap-southeast.bytepluses.com/api/v3`.
    pub base_url: Url,
    /// Path of a task under the base URL.
    pub task_path: TaskPath,
    /// API key.
    pub api_key: Secret,
    /// File with the keys that seal URLs, one on each line: the first key seals, every key unseals. Without it the API
    /// key does both. Earlier API keys, which may be among them, are removed from responses as the current one is.
    pub seal_keys_file: Option<PathBuf>,
    /// The token in callback URLs. A record may quote such a URL, so it is removed from responses as the keys are.
    pub callback_token: Option<Secret>,
    /// Whether the API key may be sent to a public host unencrypted, because something else protects the connection.
    pub allow_plain_http: bool,
    /// The status words of a gateway, mapped to those of the API.
    pub status_aliases: StatusAliases,
    /// JSON pointer to the URL of the video in the record or around it, for a service that puts the URL where it is
    /// not looked for.
    pub video_url_pointer: Option<String>,
    /// How often this process may query and cancel tasks.
    pub query_limit: RateLimit,
    /// How often this process may list tasks.
    pub list_limit: RateLimit,
    /// Tasks on a page of the list, up to 500.
    pub list_page_size: usize,
    /// The HTTP client of this endpoint, such as one that uses a proxy. `None` for that of the [`Client`](crate::Client).
    pub http: Option<reqwest::Client>,
    /// The delays that the service requested.
    pub(crate) pauses: Pauses,
}

impl Endpoint {
    /// Returns an endpoint with the path, limits and status words of the public service.
    pub fn new(account: impl Into<String>, base_url: Url, api_key: Secret) -> Self {
        Self {
            account: account.into(),
            base_url,
            task_path: TaskPath::default(),
            api_key,
            seal_keys_file: None,
            callback_token: None,
            allow_plain_http: false,
            status_aliases: StatusAliases::default(),
            video_url_pointer: None,
            query_limit: RateLimit::public_queries(),
            list_limit: RateLimit::public_lists(),
            list_page_size: MAX_PAGE_SIZE,
            http: None,
            pauses: Pauses::default(),
        }
    }

    /// Returns whether requests would send the API key unencrypted to a host that may be on the internet.
    pub fn exposes_key(&self) -> bool {
        !self.allow_plain_http && unencrypted(&self.base_url) == Some(Network::Public)
    }

    /// Returns the API key for a request.
    ///
    /// # Errors
    ///
    /// Returns an error if the key cannot be read, or must not be sent to this base URL.
    pub(crate) fn key_to_send(&self) -> Result<SecretString, Error> {
        if self.exposes_key() {
            let text = format!(
                "no API key is sent to `{}`, which is public and not encrypted",
                self.base_url
            );
            let fix = "use `https://`, or set `allow_plain_http` if something else protects the connection";
            return Err(Error::new(ErrorKind::Unauthorized, text).with_fix(fix));
        }
        Ok(self.api_key.read()?)
    }

    /// Returns what the response to a request may repeat. `api_key` is the key of the request.
    pub(crate) fn repeated_secrets(&self, api_key: SecretString) -> RepeatedSecrets {
        // What this process cannot read it does not know.
        let seal_keys = self.seal_keys_file.as_deref().map(read_lines);
        let seal_keys = seal_keys.and_then(Result::ok).unwrap_or_default();
        let token = self.callback_token.as_ref().map(Secret::read);
        let others = seal_keys.into_iter().chain(token.and_then(Result::ok));
        RepeatedSecrets::new(api_key, others.collect())
    }

    /// Returns the URL of a task.
    pub fn task_url(&self, task_id: &str) -> Url {
        self.task_path.under(&self.base_url, task_id)
    }

    /// Returns the URL of the list of tasks, or `None` if the path of the list does not follow from that of a task.
    pub fn list_url(&self) -> Option<Url> {
        self.task_path.list_under(&self.base_url)
    }
}
