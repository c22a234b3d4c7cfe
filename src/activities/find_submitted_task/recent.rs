//! A reading that the looks of this worker share for some seconds.

use std::time::{Duration, SystemTime};

use seedance_archiver_clock::Clock;
use tokio::sync::Mutex;

/// How old a reading may be. It adds to how late the list and the visibility store are, for which `policy` waits two
/// minutes. A submission looks again after a longer time, so it never gets the same reading twice.
pub(super) const MAX_AGE: Duration = Duration::from_secs(10);

/// The last reading. One look at a time reads, and those that wait meanwhile get what it read, also if that is an error.
#[derive(Debug)]
pub(super) struct Recent<T>(Mutex<Option<(SystemTime, T)>>);

impl<T> Default for Recent<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: Clone> Recent<T> {
    /// Returns the last reading if it is recent, and `is_usable` by the time at which it began. Otherwise reads again.
    pub(super) async fn get(
        &self,
        clock: &Clock,
        is_usable: impl FnOnce(SystemTime, &T) -> bool,
        read: impl Future<Output = T>,
    ) -> T {
        let mut last = self.0.lock().await;
        let now = clock.now();
        if let Some((at, value)) = last.as_ref()
            && is_younger(*at, now, MAX_AGE)
            && is_usable(*at, value)
        {
            return value.clone();
        }
        let value = read.await;
        *last = Some((now, value.clone()));
        value
    }
}

/// Returns whether something from `at` is at most `age` old. If the clock was set back, nobody knows.
pub(super) fn is_younger(at: SystemTime, now: SystemTime, age: Duration) -> bool {
    now.duration_since(at).is_ok_and(|since| since <= age)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use futures::future::join_all;

    use super::*;

    async fn read(count: &AtomicU32) -> u32 {
        tokio::task::yield_now().await;
        count.fetch_add(1, Ordering::Relaxed)
    }

    #[tokio::test]
    async fn concurrent_looks_share_a_reading() {
        let (recent, clock, count) = (Recent::default(), Clock::default(), AtomicU32::new(0));
        let looks = (0..100).map(|_| recent.get(&clock, |_, _| true, read(&count)));
        assert_eq!(join_all(looks).await, [0; 100]);
    }

    #[tokio::test]
    async fn a_reading_that_is_old_or_not_usable_is_read_again() {
        let (recent, clock, count) = (Recent::default(), Clock::default(), AtomicU32::new(0));
        let get = |is_usable| recent.get(&clock, move |_, _| is_usable, read(&count));
        assert_eq!((get(true).await, get(true).await), (0, 0));
        clock.advance(MAX_AGE).await;
        assert_eq!((get(true).await, get(true).await), (1, 1));
        assert_eq!((get(false).await, get(true).await), (2, 2));
    }

    #[test]
    fn after_the_clock_was_set_back_nothing_is_young() {
        let now = Clock::default().now();
        assert!(is_younger(now, now, MAX_AGE));
        assert!(!is_younger(now + MAX_AGE, now, MAX_AGE));
    }
}
