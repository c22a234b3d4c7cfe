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
