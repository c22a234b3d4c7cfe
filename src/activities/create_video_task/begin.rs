//! When a submission began.

use std::time::{Duration, Instant, SystemTime};

use seedance_archiver_clock::Clock;

/// When a submission began, by two clocks: the one does not run while the machine is suspended, and the other can be set.
pub(super) struct Begin {
    instant: Instant,
    time: SystemTime,
}

impl Begin {
    pub(super) fn now(clock: &Clock) -> Self {
        Self {
            instant: Instant::now(),
            time: clock.now(),
        }
    }

    pub(super) fn time(&self) -> SystemTime {
        self.time
    }

    /// Returns the time since then, by each clock. A clock that was set back shows the longest one.
    pub(super) fn elapsed(&self, clock: &Clock) -> [Duration; 2] {
        let by_clock = clock.now().duration_since(self.time);
        [self.instant.elapsed(), by_clock.unwrap_or(Duration::MAX)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn both_clocks_count() {
        let clock = Clock::default();
        let begin = Begin::now(&clock);
        let hour = Duration::from_secs(3600);
        clock.advance(hour).await;
        let [by_instant, by_clock] = begin.elapsed(&clock);
        assert!(by_instant < hour && by_clock >= hour);
        let before = Clock::behind(hour);
        assert_eq!(begin.elapsed(&before)[1], Duration::MAX);
    }
}
