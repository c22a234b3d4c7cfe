//! The client of the API, which decides when a request is sent: `Client` of `seedance-archiver-seedance`.

use std::time::Duration;

use crate::{
    log::By,
    rate_limit::RateLimit,
    time::MINUTE,
    world::{LISTS_PER_SECOND, World},
};

/// Maximum wait of a query for its turn, in milliseconds. One for a transfer waits for up to a minute in the worker. Here, it
/// does not wait for the `Retry-After` of another query, and no property judges that.
const QUERY_WAIT: u64 = 2_000;
/// How long all others wait because of the `Retry-After` of one query, at most: `Pauses`.
const MAX_PAUSE: u64 = MINUTE;

/// What the requests of the account have in common.
#[derive(Clone, Debug)]
pub(super) struct Client {
    queries: RateLimit,
    lists: RateLimit,
    /// For each task, until when it is not queried.
    paused_until: Vec<u64>,
}

impl Client {
    pub(super) fn new(world: &World) -> Self {
        Self {
            queries: RateLimit::per_second(world.queries_per_second),
            lists: RateLimit::per_second(LISTS_PER_SECOND),
            paused_until: vec![0; world.tasks.len()],
        }
    }

    /// Returns when a query is sent before a window closes, in seconds: `Call::wait_for_turn`. `None`: the rate limit has no
    /// room, or the service asked to wait.
    pub(super) fn query_turn(
        &mut self,
        task: usize,
        by: By,
        left: Duration,
        now: u64,
    ) -> Option<u64> {
        // The request takes time too. A longer pause is ignored: the record can be had now or never.
        let longest_pause = left.as_secs().saturating_mul(1_000) / 2;
        let max_wait = QUERY_WAIT.min(longest_pause);
        let pause = match self.pause_left(task, now) {
            left if by == By::Transfer || left * 1_000 > longest_pause => 0,
            left => left,
        };
        let max_wait = max_wait.checked_sub(pause * 1_000)?;
        self.queries.turn(now + pause, max_wait)
    }

    /// Keeps to the `Retry-After` of a query.
    pub(super) fn pause(&mut self, task: usize, retry_after: u64, now: u64) {
        let paused_until = &mut self.paused_until[task];
        *paused_until = (*paused_until).max(now + retry_after.min(MAX_PAUSE));
    }

    /// Returns for how many seconds a task is not queried, because the service asked to wait.
    pub(super) fn pause_left(&self, task: usize, now: u64) -> u64 {
        self.paused_until[task].saturating_sub(now)
    }

    /// Returns when a list request is sent, however late that is.
    pub(super) fn list_turn(&mut self, now: u64) -> u64 {
        self.lists.turn(now, u64::MAX).unwrap_or(now)
    }
}
