//! A task record as the service gave it.

use std::time::SystemTime;

use secrecy::{ExposeSecret, SecretString};
use seedance_archiver_proto::{
    redact,
    v1::{VideoContent, VideoTask},
};
use serde_json::{Map, Value};

use super::{CannotOpen, UrlSeal, signed_url};

/// A task record whose URLs are still readable. It cannot be printed or serialised: the only ways
/// out are [`Record::sealed`], [`Record::url`] and [`Record::as_received`].
pub struct Record {
    task: VideoTask,
    received: Map<String, Value>,
}

impl Record {
    pub(super) fn new(task: VideoTask, received: Map<String, Value>) -> Self {
        Self { task, received }
    }

    /// Id of the task.
    pub fn id(&self) -> &str {
        &self.task.id
    }

    /// The status, as the service words it.
    pub fn status(&self) -> &str {
        &self.task.status
    }

    /// Creation time, Unix seconds; 0 where the record has none.
    pub fn created_at(&self) -> i64 {
        self.task.created_at
    }

    /// Time of the last status change, Unix seconds; 0 where the record has none.
    pub fn updated_at(&self) -> i64 {
        self.task.updated_at
    }

    /// The URL of the video, once there is one.
    pub fn video_url(&self) -> Option<SecretUrl> {
        self.url(|content| &content.video_url)
    }

    /// One of the URLs, once it is there.
    pub fn url(&self, pick: impl Fn(&VideoContent) -> &str) -> Option<SecretUrl> {
        let url = pick(self.task.content.as_ref()?);
        (!url.is_empty()).then(|| SecretUrl::new(url.to_owned()))
    }

    /// What is known beside the URLs: fit for everybody's eyes.
    pub fn without_urls(&self) -> VideoTask {
        VideoTask {
            content: None,
            ..self.task.clone()
        }
    }

    /// Every field as it was received, in its order, but for the queries of URLs and for
    /// callback URLs, which are secrets: fit for the archive.
    pub fn as_received(&self) -> Value {
        let mut fields = Value::Object(self.received.clone());
        strip_secrets(&mut fields);
        fields
    }

    /// The record with its URLs sealed, fit for Temporal's history.
    pub fn sealed(self, seal: &UrlSeal) -> VideoTask {
        let id = self.task.id.clone();
        with_urls(self.task, |url| seal.seal(&id, &url))
    }
}

impl UrlSeal {
    /// The record with plain URLs, for a caller that asked for them: whoever sees it can fetch the
    /// video.
    pub fn revealed(&self, task: VideoTask) -> Result<VideoTask, CannotOpen> {
        let id = task.id.clone();
        let mut fault = None;
        let task = with_urls(task, |url| match self.open(&id, &url) {
            Ok(url) => url.expose().to_owned(),
            Err(error) => {
                fault = Some(error);
                url
            }
        });
        fault.map_or(Ok(task), Err)
    }
}

/// A callback URL has its secret in its path.
const CALLBACK_URL: &str = "callback_url";

fn strip_secrets(value: &mut Value) {
    match value {
        Value::String(text) => *text = without_query(text),
        Value::Array(items) => items.iter_mut().for_each(strip_secrets),
        Value::Object(fields) => {
            fields.shift_remove(CALLBACK_URL);
            fields.values_mut().for_each(strip_secrets);
        }
        _ => {}
    }
}

/// A text that is a URL as a whole ends nowhere before its end.
fn without_query(text: &str) -> String {
    let is_url = text.starts_with("https://") || text.starts_with("http://");
    match text.split_once('?') {
        Some((address, _)) if is_url && !address.contains(char::is_whitespace) => {
            format!("{address}?REDACTED")
        }
        _ => redact::url_queries(text),
    }
}

/// The record with each URL that it has changed.
fn with_urls(mut task: VideoTask, mut change: impl FnMut(String) -> String) -> VideoTask {
    let mut change = |url: String| if url.is_empty() { url } else { change(url) };
    task.content = task.content.map(|content| VideoContent {
        video_url: change(content.video_url),
        last_frame_url: change(content.last_frame_url),
        file_url: change(content.file_url),
    });
    task
}

/// A signed URL: whoever has it can fetch the video.
#[derive(Clone, Debug)]
pub struct SecretUrl(SecretString);

impl SecretUrl {
    /// Takes a URL as it is.
    pub fn new(url: String) -> Self {
        Self(url.into())
    }

    /// The URL itself, to be given to the HTTP client and to nothing else.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// Host that the URL points at. Not a secret.
    pub fn host(&self) -> String {
        reqwest::Url::parse(self.expose())
            .ok()
            .and_then(|url| url.host_str().map(str::to_owned))
            .unwrap_or_default()
    }

    /// When the URL stops working, where it says so itself.
    pub fn expires_at(&self) -> Option<SystemTime> {
        signed_url::expires_at(self.expose())
    }
}
