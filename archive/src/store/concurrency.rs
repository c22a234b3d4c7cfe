//! Limits the number of parts that are uploaded to a store concurrently. The limit is halved when the store refuses a part.
//! Each time the store has then accepted two rounds of parts, it is raised: by one, then by two, then by four, until the
//! next refusal. So it recovers soon if the store does, and never exceeds twice what the store accepts.

/// Number of rounds that the store has to accept before the limit is raised. A higher limit may cause a refusal, and the
/// refused part is then uploaded again.
const ROUNDS: usize = 2;

/// The limit of concurrent parts.
#[derive(Debug, Default)]
pub(super) struct Concurrency {
    /// `None` until the store refuses a part: only the memory limits the parts.
    limit: Option<usize>,
    /// Number of parts that were stored since the limit changed.
    stored: usize,
    /// Number of times that the limit was raised since it was lowered.
    raises: u32,
    epoch: Epoch,
}

/// The number of decreases of the limit.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Epoch(u64);

impl Concurrency {
    /// Returns the maximum number of concurrent parts.
    pub(super) fn limit(&self) -> usize {
        self.limit.unwrap_or(usize::MAX)
    }

    /// Returns the current epoch.
    pub(super) fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// Raises the limit after enough parts were stored. `epoch`: when the part was sent. `are_awaited`: whether parts
    /// wait to be sent. Without, a higher limit changes nothing.
    pub(super) fn stored(&mut self, epoch: Epoch, are_awaited: bool) {
        let Some(limit) = &mut self.limit else {
            return;
        };
        if !are_awaited || epoch != self.epoch {
            return;
        }
        self.stored += 1;
        if self.stored >= ROUNDS * *limit {
            let step = 1_usize.checked_shl(self.raises).unwrap_or(*limit);
            *limit = limit.saturating_add(step);
            self.raises = self.raises.saturating_add(1);
            self.stored = 0;
        }
    }

    /// Lowers the limit because the store refused a part. `epoch`: when the part was sent. `at_once`: the number of
    /// parts that the store was receiving.
    pub(super) fn refused(&mut self, epoch: Epoch, at_once: usize) {
        // Parts that were sent before the limit was lowered are refused for the same reason.
        if epoch == self.epoch {
            self.limit = Some((at_once / 2).max(1));
            self.stored = 0;
            self.raises = 0;
            self.epoch.0 += 1;
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
            concurrency.stored(concurrency.epoch(), true);
        }
        assert_eq!(concurrency.limit(), usize::MAX);
    }

    #[test]
    fn refusals_at_the_same_time_halve_the_limit_once() {
        let mut concurrency = Concurrency::default();
        let sent = concurrency.epoch();
        for at_once in [9, 8, 7] {
            concurrency.refused(sent, at_once);
            assert_eq!(concurrency.limit(), 4);
        }
        concurrency.refused(concurrency.epoch(), 4);
        assert_eq!(concurrency.limit(), 2);
    }

    #[test]
    fn one_part_is_always_allowed() {
        let mut concurrency = Concurrency::default();
        for at_once in [1, 1, 0] {
            concurrency.refused(concurrency.epoch(), at_once);
            assert_eq!(concurrency.limit(), 1);
        }
    }

    #[test]
    fn the_limit_rises_after_two_rounds_each_time_by_twice_as_much() {
        let mut concurrency = Concurrency::default();
        concurrency.refused(concurrency.epoch(), 4);
        for (parts, limit) in [(3, 2), (1, 3), (5, 3), (1, 5), (9, 5), (1, 9)] {
            store(&mut concurrency, parts);
            assert_eq!(concurrency.limit(), limit);
        }
        concurrency.refused(concurrency.epoch(), 9);
        for (parts, limit) in [(0, 4), (8, 5), (10, 7)] {
            store(&mut concurrency, parts);
            assert_eq!(concurrency.limit(), limit);
        }
    }

    #[test]
    fn the_way_back_after_a_refusal_is_short() {
        for (at_once, max_parts) in [(2, 10), (16, 200), (64, 600), (300, 3000)] {
            let mut concurrency = Concurrency::default();
            concurrency.refused(concurrency.epoch(), at_once);
            store(&mut concurrency, max_parts);
            assert!(concurrency.limit() >= at_once, "{at_once}");
        }
    }

    fn store(concurrency: &mut Concurrency, parts: usize) {
        for _ in 0..parts {
            concurrency.stored(concurrency.epoch(), true);
        }
    }

    #[test]
    fn the_limit_rises_only_if_it_limits_anything() {
        let mut concurrency = Concurrency::default();
        let before = concurrency.epoch();
        concurrency.refused(before, 2);
        for _ in 0..100 {
            concurrency.stored(concurrency.epoch(), false);
            concurrency.stored(before, true);
        }
        assert_eq!(concurrency.limit(), 1);
    }
}
