//! A task whose video is behind one URL, and never behind another.

use reqwest::Url;
use secrecy::SecretString;
use seedance_archiver_archive::{Error, Kind, Origin, source::Urls};
use serde_json::Value;

pub(crate) struct OneUrl {
    pub(crate) url: Url,
    /// The task's record.
    pub(crate) record: Value,
}

impl Origin for OneUrl {
    type Error = Error;

    fn urls(&self, _: Kind) -> impl Urls<Error = Error> + Send {
        Only(SecretString::from(self.url.to_string()))
    }

    async fn record(&self) -> Value {
        self.record.clone()
    }

    fn goes_without(&self, _: Kind, error: Error) -> Result<String, Error> {
        Err(error)
    }
}

struct Only(SecretString);

impl Urls for Only {
    type Error = Error;

    async fn first(&mut self) -> Result<SecretString, Error> {
        Ok(self.0.clone())
    }

    async fn fresh(&mut self, refused: Error) -> Result<SecretString, Error> {
        Err(refused)
    }
}
