//! Errors of a download, by what the caller can do about them.

use std::{error, iter};

use reqwest::Url;
use seedance_archiver_http as http;

use super::{TooLarge, TooSlow};

/// An error of a download. Its text contains neither the path nor the query of a URL.
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
    /// Returns the error for an error of the HTTP client. The resolver's refusal may be among its sources.
    pub(super) fn of_client(url: &Url, error: reqwest::Error) -> Self {
        let refused = sources(&error).find_map(|source| source.downcast_ref::<AddressRefused>());
        match refused {
            Some(AddressRefused(text)) => Self::NotAllowed(text.clone()),
            None => Self::of_host(url, &http::describe(error)),
        }
    }

    /// Returns the error of a host.
    pub(super) fn of_host(url: &Url, text: &str) -> Self {
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

/// The error of the resolver for an address that is not allowed. `reqwest` wraps it.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct AddressRefused(pub(super) String);

fn sources<'a>(
    error: &'a (dyn error::Error + 'static),
) -> impl Iterator<Item = &'a (dyn error::Error + 'static)> {
    iter::successors(Some(error), |error| error.source())
}
