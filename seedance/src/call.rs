//! A call of the task API, and when it may be sent.

use std::time::{Duration, Instant};

use metrics::histogram;
use reqwest::{Method, Url};
use seedance_archiver_clock::Clock;

use crate::{Endpoint, Error, ErrorKind, RateLimit};

/// Metric: how long calls waited for the account's rate limit, which is called the *budget* in metric names.
pub const RATE_LIMIT_WAIT: &str = "seedance_archiver_budget_wait_seconds";

/// Maximum wait of a query for its turn. The query holds an activity slot meanwhile.
pub(crate) const QUERY_WAIT: Duration = Duration::from_secs(2);
/// Maximum size of a record, in bytes. Records have a few kilobytes. Only its short fields travel in Temporal payloads.
pub const MAX_RECORD: usize = 16 * MIB;

/// Bytes of a mebibyte.
pub(crate) const MIB: usize = 1024 * 1024;

/// A call of the API.
pub(crate) struct Call<'a> {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) body: Option<String>,
    /// The label `call` of metrics: `query`, `list` or `create`.
    pub(crate) kind: &'static str,
    /// What the call is about, for logs: a task id, `list` or `create`.
    pub(crate) subject: &'a str,
    pub(crate) rate_limit: &'a RateLimit,
    /// Maximum wait for the rate limit, and for a delay that the service requested.
    pub(crate) max_wait: Duration,
    /// The longest delay that is not ignored.
    pub(crate) longest_pause: Duration,
    /// Maximum size of the response, in bytes.
    pub(crate) max_body: usize,
}

impl<'a> Call<'a> {
    pub(crate) fn for_task(method: Method, endpoint: &'a Endpoint, task_id: &'a str) -> Self {
        Self {
            method,
            url: endpoint.task_url(task_id),
            body: None,
            kind: "query",
            subject: task_id,
            rate_limit: &endpoint.query_limit,
            max_wait: QUERY_WAIT,
            longest_pause: Duration::MAX,
            max_body: MAX_RECORD,
        }
    }

    /// Waits for the rate limit, and for a delay that the service requested in the response to such a request.
    pub(crate) async fn wait_for_turn(
        &self,
        endpoint: &Endpoint,
        clock: &Clock,
    ) -> Result<(), Error> {
        let pause = || {
            let left = endpoint.pauses.left(self.subject, clock.now());
            Some(left).filter(|left| !left.is_zero() && *left <= self.longest_pause)
        };
        let started = Instant::now();
        loop {
            let max_wait = self.max_wait.saturating_sub(started.elapsed());
            if let Some(left) = pause() {
                if left > max_wait {
                    let text = format!("the service asked to wait for {} s", left.as_secs() + 1);
                    let error = Error::new(ErrorKind::Throttled, text);
                    return Err(error.with_retry_after(Some(left)));
                }
                clock.sleep_until(clock.now() + left).await;
            }
            let max_wait = self.max_wait.saturating_sub(started.elapsed());
            self.wait_for_rate_limit(&endpoint.account, max_wait)
                .await?;
            // A response may have arrived meanwhile.
            if pause().is_none() {
                return Ok(());
            }
        }
    }

    async fn wait_for_rate_limit(&self, account: &str, max_wait: Duration) -> Result<(), Error> {
        let started = Instant::now();
        let allowed = self.rate_limit.wait_up_to(max_wait).await;
        // A refused call would have waited for longer.
        let waited = match allowed {
            Ok(()) => started.elapsed(),
            Err(_) => max_wait,
        };
        histogram!(RATE_LIMIT_WAIT, "account" => account.to_owned(), "call" => self.kind)
            .record(waited);
        allowed.map_err(|text| Error::new(ErrorKind::Throttled, text))
    }
}
