//! Enforces the rates that the service allows an account.

use std::time::Instant;

use crate::bucket::Bucket;

/// How many seconds' worth of requests may arrive together. At least one request may.
const BURST_SECONDS: f64 = 2.0;

/// Numbers of requests that were answered with 429, because they exceeded the rate that the service allows an account.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Throttled {
    /// Queries.
    pub queries: u64,
    /// List requests.
    pub lists: u64,
}

/// The limits of one account.
#[derive(Default)]
pub(crate) struct Limits {
    queries: Bucket,
    lists: Bucket,
    throttled: Throttled,
}

impl Limits {
    pub(crate) fn throttled(&self) -> Throttled {
        self.throttled
    }

    /// Returns whether a query may be served.
    pub(crate) fn allow_query(&mut self, rate: f64) -> bool {
        let is_allowed = self.queries.take(rate, BURST_SECONDS, Instant::now());
        self.throttled.queries += u64::from(!is_allowed);
        is_allowed
    }

    /// Returns whether a list request may be served.
    pub(crate) fn allow_list(&mut self, rate: f64) -> bool {
        let is_allowed = self.lists.take(rate, BURST_SECONDS, Instant::now());
        self.throttled.lists += u64::from(!is_allowed);
        is_allowed
    }
}
