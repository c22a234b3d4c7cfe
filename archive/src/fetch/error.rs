//! What can go wrong with a download, by what the caller can do. No text holds path or query of a URL.

use std::{error, iter};

use reqwest::Url;

use seedance_archiver_http as http;

use super::{TooLarge, TooSlow};

/// An error of a download.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Error {
    /// A rule forbids it: try again, once somebody has changed the rule.
    #[error("{0}")]
    Refused(String),
    /// The host cannot be reached or is at fault: try again.
    #[error("{0}")]
    Unreachable(String),
}

impl Error {
    /// What an error of the HTTP client means. A refusal by the resolver is among its causes.
    pub(super) fn of_client(url: &Url, error: reqwest::Error) -> Self {
        let refusal = causes(&error).find_map(|cause| cause.downcast_ref::<Refusal>());
        match refusal {
            Some(Refusal(why)) => Self::Refused(why.clone()),
            None => Self::of_host(url, &http::describe(error)),
        }
    }

    /// A fault of the URL's host.
    pub(super) fn of_host(url: &Url, fault: &str) -> Self {
        let host = url.host_str().unwrap_or_default();
        Self::Unreachable(format!("the video's host `{host}`: {fault}"))
    }
}

impl From<TooLarge> for Error {
    fn from(fault: TooLarge) -> Self {
        Self::Refused(fault.to_string())
    }
}

impl From<TooSlow> for Error {
    fn from(fault: TooSlow) -> Self {
        Self::Unreachable(fault.to_string())
    }
}

/// A refusal on its way through `reqwest`.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Refusal(pub(super) String);

fn causes<'a>(
    error: &'a (dyn error::Error + 'static),
) -> impl Iterator<Item = &'a (dyn error::Error + 'static)> {
    iter::successors(Some(error), |error| error.source())
}
