//! Fetches videos from URLs that came out of an API's answers: such a URL is a secret, and is not
//! trusted.
//!
//! - [`UrlHosts`]: the hosts that an account allows, and which of them are the operator's own.
//! - `rules`: whether a URL, a redirect or an address is allowed; `address`: which ones are public.
//! - [`Downloads`]: the client that keeps these rules; `resolver`: its part of them that is about names.
//! - [`Download`]: an answer, whose body has to come at a [`Pace`] and to end within a [`Size`].
//! - [`Error`]: in words without the URL.

mod address;
mod body;
mod client;
mod error;
mod pace;
mod resolver;
mod rules;
mod size;
#[cfg(test)]
mod tests;
mod url_hosts;

pub use body::Download;
pub use client::{Downloads, Resume};
pub use error::Error;
pub use pace::{Pace, TooSlow};
pub use size::{Size, TooLarge};
pub use url_hosts::UrlHosts;
