//! A task source with a single video URL.

use reqwest::Url;
use secrecy::SecretString;
use seedance_archiver_archive::{Error, ObjectKind, TaskSource, UrlSource};

pub(crate) struct OneUrl {
    pub(crate) url: Url,
    /// The task's record.
    pub(crate) record: String,
}

impl TaskSource for OneUrl {
    type Error = Error;

    fn urls(&self, _: ObjectKind) -> impl UrlSource<Error = Error> + Send {
        Urls(SecretString::from(self.url.to_string()))
    }

    async fn record(&self) -> String {
        self.record.clone()
    }

    fn skip(&self, _: ObjectKind, error: Error) -> Result<String, Error> {
        Err(error)
    }
}

struct Urls(SecretString);

impl UrlSource for Urls {
    type Error = Error;

    async fn first_url(&mut self) -> Result<SecretString, Error> {
        Ok(self.0.clone())
    }

    async fn fresh_url(&mut self, rejected: Error) -> Result<SecretString, Error> {
        Err(rejected)
    }
}
