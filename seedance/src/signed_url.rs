//! A signed URL, which is a bearer secret.

use std::time::SystemTime;

use secrecy::{ExposeSecret, SecretString};

use crate::url_expiry;

/// A signed URL. Anyone who has it can download the video, so it is never printed.
#[derive(Clone, Debug)]
pub struct SignedUrl(SecretString);

impl SignedUrl {
    /// Wraps a URL, without checking it.
    pub fn new(url: String) -> Self {
        Self(url.into())
    }

    /// Returns the URL, to be passed to an HTTP client and to nothing else.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// Returns the URL as a secret string.
    pub fn into_secret(self) -> SecretString {
        self.0
    }

    /// Returns the host of the URL, which is not a secret.
    pub fn host(&self) -> String {
        reqwest::Url::parse(self.expose())
            .ok()
            .and_then(|url| url.host_str().map(str::to_owned))
            .unwrap_or_default()
    }

    /// Returns when the URL expires, or `None` if its form is unknown.
    pub fn expires_at(&self) -> Option<SystemTime> {
        url_expiry::expires_at(self.expose())
    }
}
