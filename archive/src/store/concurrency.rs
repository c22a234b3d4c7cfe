//! How many parts a store receives at once, by its answers: half as many after it refuses one, and one more after it stored
//! some rounds of them.

/// Rounds of parts that the store stores before it receives one more at once. It may refuse the additional part, which was
/// then sent in vain.
const ROUNDS: usize = 2;

/// The number of parts that a store receives at once.
#[derive(Debug, Default)]
pub(super) struct Concurrency {
    /// `None` until the store refuses a part: only the memory limits the parts.
    limit: Option<usize>,
    /// Number of parts that were stored since the limit changed.
    stored: usize,
    period: Period,
}

/// The time between two decreases of the limit.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Period(u64);

impl Concurrency {
    /// Returns the maximum number of parts at once.
    pub(super) fn limit(&self) -> usize {
        self.limit.unwrap_or(usize::MAX)
    }

    /// Returns the current period.
    pub(super) fn period(&self) -> Period {
        self.period
    }

    /// Raises the limit after enough parts were stored. `period`: when the part was sent. `are_awaited`: whether parts
    /// wait to be sent. Without, a higher limit changes nothing.
    pub(super) fn stored(&mut self, period: Period, are_awaited: bool) {
        let Some(limit) = &mut self.limit else {
            return;
        };
        if !are_awaited || period != self.period {
            return;
        }
        self.stored += 1;
        if self.stored >= ROUNDS * *limit {
            *limit += 1;
            self.stored = 0;
        }
    }

    /// Lowers the limit because the store refused a part. `period`: when the part was sent. `at_once`: the number of
    /// parts that the store was receiving.
    pub(super) fn refused(&mut self, period: Period, at_once: usize) {
        // Parts that were sent before the limit was lowered are refused for the same reason.
        if period == self.period {
            self.limit = Some((at_once / 2).max(1));
            self.stored = 0;
            self.period.0 += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_no_limit_before_the_store_refuses_a_part() {
        let mut concurrency = Concurrency::default();
        for _ in 0..100 {
            concurrency.stored(concurrency.period(), true);
        }
        assert_eq!(concurrency.limit(), usize::MAX);
    }

    #[test]
    fn refusals_at_the_same_time_halve_the_limit_once() {
        let mut concurrency = Concurrency::default();
        let sent = concurrency.period();
        for at_once in [9, 8, 7] {
            concurrency.refused(sent, at_once);
            assert_eq!(concurrency.limit(), 4);
        }
        concurrency.refused(concurrency.period(), 4);
        assert_eq!(concurrency.limit(), 2);
    }

    #[test]
    fn one_part_is_always_allowed() {
        let mut concurrency = Concurrency::default();
        for at_once in [1, 1, 0] {
            concurrency.refused(concurrency.period(), at_once);
            assert_eq!(concurrency.limit(), 1);
        }
    }

    #[test]
    fn the_limit_rises_by_one_after_two_rounds() {
        let mut concurrency = Concurrency::default();
        concurrency.refused(concurrency.period(), 4);
        for (parts, limit) in [(3, 2), (1, 3), (5, 3), (1, 4)] {
            for _ in 0..parts {
                concurrency.stored(concurrency.period(), true);
            }
            assert_eq!(concurrency.limit(), limit);
        }
    }

    #[test]
    fn the_limit_rises_only_if_it_limits_anything() {
        let mut concurrency = Concurrency::default();
        let before = concurrency.period();
        concurrency.refused(before, 2);
        for _ in 0..100 {
            concurrency.stored(concurrency.period(), false);
            concurrency.stored(before, true);
        }
        assert_eq!(concurrency.limit(), 1);
    }
}
