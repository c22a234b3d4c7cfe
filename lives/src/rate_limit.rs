//! The rate limit of an account, as `RateLimit` of `seedance-archiver-seedance` spreads requests over the second.

/// How long a query waits for its turn, in milliseconds: `Client::query_in_window`.
const MAX_WAIT: u64 = 2_000;

#[derive(Clone, Debug)]
pub(crate) struct RateLimit {
    /// In milliseconds.
    period: u64,
    next: u64,
}

impl RateLimit {
    pub(crate) fn per_second(rate: u64) -> Self {
        Self {
            period: 1_000 / rate.max(1),
            next: 0,
        }
    }

    /// Returns the second of the next turn. `None`: it is too late for a window that closes in `left` seconds.
    pub(crate) fn turn(&mut self, now: u64, left: u64) -> Option<u64> {
        let now = now * 1_000;
        let turn = self.next.max(now);
        if turn - now > MAX_WAIT.min(left.saturating_mul(1_000) / 2) {
            return None;
        }
        self.next = turn + self.period;
        Some(turn / 1_000)
    }
}
