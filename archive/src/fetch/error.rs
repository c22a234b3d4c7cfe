use std::{error, iter};

use reqwest::Url;
use seedance_archiver_http as http;

use super::{TooLarge, TooSlow};

/// An error of a download, classified by how to react. Its text contains neither the path nor the query of a URL.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Error {
    /// The rules of the account do not allow the download: an operator has to change them.
    #[error("{0}")]
    NotAllowed(String),
    /// The host is unreachable or failed: retry.
    #[error("{0}")]
    Unavailable(String),
}

impl Error {
    /// Converts an error of the HTTP client. Its sources may contain the resolver's [`AddressRefused`].
    pub(super) fn from_client(url: &Url, error: reqwest::Error) -> Self {
        let refused = sources(&error).find_map(|source| source.downcast_ref::<AddressRefused>());
        match refused {
            Some(AddressRefused(text)) => Self::NotAllowed(text.clone()),
            None => Self::for_host(url, &http::describe(error)),
        }
    }

    /// Returns an error with the name of the host.
    pub(super) fn for_host(url: &Url, text: &str) -> Self {
        let host = url.host_str().unwrap_or_default();
        Self::Unavailable(format!("video host `{host}`: {text}"))
    }
}

impl From<TooLarge> for Error {
    fn from(error: TooLarge) -> Self {
        Self::NotAllowed(error.to_string())
    }
}

impl From<TooSlow> for Error {
    fn from(error: TooSlow) -> Self {
        Self::Unavailable(error.to_string())
    }
}

/// The resolver's error for an address that is not allowed, which `reqwest` wraps.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct AddressRefused(pub(super) String);

fn sources<'a>(
    error: &'a (dyn error::Error + 'static),
) -> impl Iterator<Item = &'a (dyn error::Error + 'static)> {
    iter::successors(Some(error), |error| error.source())
}
