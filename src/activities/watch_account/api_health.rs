//! Whether the API answers a kind of request, and when to try again.

use std::time::{Duration, Instant};

use seedance_archiver_policy::retry;

use crate::seedance::{self, ErrorKind};

/// Delay after the first failed request. It doubles with each further one.
const INITIAL_DELAY: Duration = Duration::from_secs(1);
/// Maximum delay, unless the API requests a longer one.
const MAX_DELAY: Duration = Duration::from_secs(30);
/// Maximum delay that the API can request.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(15 * 60);
/// Delay after a request for which the worker's rate limit had no room.
const THROTTLED_DELAY: Duration = Duration::from_millis(500);

/// The answers to one kind of request.
#[derive(Default)]
pub(super) struct ApiHealth {
    failures: u32,
    /// The first task whose query failed since the last answer.
    failed_task: Option<String>,
    /// Whether the query of a second one failed too.
    is_general: bool,
    retry_at: Option<Instant>,
    is_unsupported: bool,
}

impl ApiHealth {
    /// Returns whether a request can be sent.
    pub(super) fn is_available(&self) -> bool {
        !self.is_unsupported && self.retry_at.is_none_or(|at| at <= Instant::now())
    }

    /// Notes that the API answered.
    pub(super) fn answered(&mut self) {
        *self = Self::default();
    }

    /// Notes that the API did not answer the query of a task. That says nothing about others, so they wait only for a moment,
    /// until the query of a second task fails too.
    pub(super) fn query_failed(&mut self, task_id: &str, error: &seedance::Error) {
        let first = self.failed_task.get_or_insert_with(|| task_id.to_owned());
        self.is_general |= first.as_str() != task_id;
        match self.is_general {
            true => self.failed(error),
            false => self.retry_at = Some(Instant::now() + INITIAL_DELAY),
        }
    }

    /// Notes that the API did not answer.
    pub(super) fn failed(&mut self, error: &seedance::Error) {
        let delay = match error.kind() {
            ErrorKind::Throttled => THROTTLED_DELAY,
            ErrorKind::Unsupported => {
                self.is_unsupported = true;
                return;
            }
            _ => {
                self.failures = self.failures.saturating_add(1);
                let requested = error.retry_after().unwrap_or_default().min(MAX_RETRY_AFTER);
                retry::exponential(INITIAL_DELAY, MAX_DELAY, self.failures).max(requested)
            }
        };
        self.retry_at = Some(Instant::now() + delay);
    }
}

#[cfg(test)]
mod tests {
    use seedance_archiver_simulator::{Fault, Misuse, Script, Simulator};

    use super::*;
    use crate::{
        http,
        seedance::{Client, Endpoint},
    };

    const RETRY_AFTER: Duration = Duration::from_secs(600);

    /// Returns the error of a query that the API refuses.
    async fn refusal() -> seedance::Error {
        let simulator = Simulator::builder().start().await.unwrap();
        let id = simulator.create(Script::default());
        let retry_after = Some(RETRY_AFTER.as_secs());
        simulator.set_task_fault(&id, Some(Fault::RateLimited { retry_after }));
        let base_url = simulator.base_url().parse().unwrap();
        let api_key = simulator.api_key().to_owned().into();
        let endpoint = Endpoint::new("default", base_url, api_key);
        let client = Client::new(http::client().unwrap());
        let refusal = client.query(&endpoint, &id).await.err().unwrap();
        assert_eq!(simulator.misuse(), Misuse::default());
        refusal
    }

    /// Returns how long no request is sent.
    fn pause(health: &ApiHealth) -> Duration {
        let retry_at = health.retry_at.unwrap();
        retry_at.saturating_duration_since(Instant::now())
    }

    #[tokio::test]
    async fn one_refused_task_holds_up_no_other_for_long_and_two_do() {
        let refusal = refusal().await;
        let mut health = ApiHealth::default();
        for _ in 0..10 {
            health.query_failed("cgt-1", &refusal);
            assert!(pause(&health) <= INITIAL_DELAY);
        }
        health.query_failed("cgt-2", &refusal);
        assert!(pause(&health) > RETRY_AFTER / 2);
        health.query_failed("cgt-1", &refusal);
        assert!(pause(&health) > RETRY_AFTER / 2);

        health.answered();
        assert!(health.is_available());
        health.query_failed("cgt-2", &refusal);
        assert!(pause(&health) <= INITIAL_DELAY);
    }
}
