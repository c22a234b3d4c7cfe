//! Downloads videos from URLs that an API returned. Such URLs are secret and untrusted.
//!
//! - [`UrlHosts`]: the hosts that an account allows; some may be internal.
//! - [`Networks`]: networks whose addresses count as public; [`FetchRules`]: all that an account allows.
//! - [`VideoClient`]: the HTTP client. It checks each URL, each redirect and each resolved address.
//! - [`VideoResponse`]: a response, whose body is subject to a [`MinThroughput`] and a [`SizeLimit`].
//! - [`Refusal`]: what an error response means.
//! - [`Error`]: an error, whose text contains no URL.

mod address;
mod client;
mod error;
mod error_body;
mod fetch_rules;
mod min_throughput;
mod networks;
mod refusal;
mod resolver;
mod response;
mod rules;
mod size_limit;
#[cfg(test)]
mod tests;
mod url_hosts;

pub use client::{ResumeFrom, VideoClient};
pub use error::Error;
pub use fetch_rules::FetchRules;
pub use min_throughput::{MinThroughput, TooSlow};
pub use networks::Networks;
pub use refusal::Refusal;
pub use response::VideoResponse;
pub use size_limit::{SizeLimit, TooLarge};
pub use url_hosts::UrlHosts;
