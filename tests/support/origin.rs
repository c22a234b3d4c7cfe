//! A task whose video is behind one URL, and never behind another.

use reqwest::Url;
use seedance_archiver::{
    archive::{self, Kind, Origin, source::Urls},
    seedance::SecretUrl,
};
use serde_json::Value;

pub(crate) struct OneUrl {
    pub(crate) url: Url,
    /// The task's record.
    pub(crate) record: Value,
}

impl Origin for OneUrl {
    type Error = archive::Error;

    fn urls(&self, _: Kind) -> impl Urls<Error = archive::Error> + Send {
        Only(SecretUrl::new(self.url.to_string()))
    }

    async fn record(&self) -> Value {
        self.record.clone()
    }

    fn goes_without(&self, _: Kind, error: archive::Error) -> Result<String, archive::Error> {
        Err(error)
    }
}

struct Only(SecretUrl);

impl Urls for Only {
    type Error = archive::Error;

    async fn first(&mut self) -> Result<SecretUrl, archive::Error> {
        Ok(self.0.clone())
    }

    async fn fresh(&mut self, refused: archive::Error) -> Result<SecretUrl, archive::Error> {
        Err(refused)
    }
}
