//! The rate limit of an account, as `RateLimit` of `seedance-archiver-seedance` spreads requests over the second.

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

    /// Returns the second of the next turn. `None`: that is more than `max_wait` milliseconds away.
    pub(crate) fn turn(&mut self, now: u64, max_wait: u64) -> Option<u64> {
        let now = now * 1_000;
        let turn = self.next.max(now);
        if turn - now > max_wait {
            return None;
        }
        self.next = turn + self.period;
        Some(turn / 1_000)
    }
}
