//! The clock for query windows, deadlines and expiries. A test can advance it.
//!
//! Whatever depends on the time of day (query windows, deadlines, expiries) takes it from one [`Clock`], which the
//! worker and the simulator are built with. In a test the two share a clock, and the test advances it by days:
//!
//! ```
//! use std::time::Duration;
//!
//! use seedance_archiver_clock::Clock;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let clock = Clock::default();
//! let before = clock.now();
//! clock.advance(Duration::from_secs(7 * 24 * 60 * 60)).await;
//! assert!(clock.now() >= before + Duration::from_secs(7 * 24 * 60 * 60));
//! # }
//! ```
//!
//! How long something takes, such as a request or a pause, is measured with `Instant` and does not depend on the
//! clock.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use tokio::sync::{OwnedRwLockReadGuard, RwLock, watch};

/// How far the sub-second part of a time can be cut off.
const ALMOST_A_SECOND: Duration = Duration::from_millis(999);

/// A clock that shows the system's time until it is advanced. Clones are the same clock.
#[derive(Clone, Debug)]
pub struct Clock {
    /// How far it was behind the system's clock before it was first advanced. Zero, except in tests.
    behind: Duration,
    /// Oldest first. Empty, except in tests.
    advances: Arc<watch::Sender<Vec<Advance>>>,
    /// Locked while the clock is advanced.
    holds: Arc<RwLock<()>>,
}

/// Keeps a clock from being advanced until it is dropped.
#[must_use]
pub struct Hold(#[expect(dead_code, reason = "released on drop")] OwnedRwLockReadGuard<()>);

#[derive(Clone, Copy, Debug)]
struct Advance {
    /// The system's time when the clock was advanced.
    at: SystemTime,
    by: Duration,
}

impl Default for Clock {
    fn default() -> Self {
        Self::behind(Duration::ZERO)
    }
}

impl Clock {
    /// Returns a clock that is behind the system's clock. A test that advances it by as much brings the two together, so
    /// that processes without this clock can then take part.
    pub fn behind(by: Duration) -> Self {
        Self {
            behind: by,
            advances: Arc::new(watch::Sender::new(Vec::new())),
            holds: Arc::default(),
        }
    }

    /// Returns the time now.
    pub fn now(&self) -> SystemTime {
        self.at(system_time())
    }

    /// Returns what this clock showed at a time of the system's clock.
    ///
    /// Converts times that others measured, such as Temporal's server. The two differ only if the clock was advanced or
    /// is behind.
    pub fn at(&self, time: SystemTime) -> SystemTime {
        time - self.behind + self.advanced_before(time)
    }

    /// Returns what this clock showed at a time of the system's clock that was rounded down to a second.
    pub fn at_second(&self, time: SystemTime) -> SystemTime {
        // A time in the second of an advance may be before or after it. After it is the safe choice: nothing that
        // happens after an advance is then backdated by days.
        time - self.behind + self.advanced_before(time + ALMOST_A_SECOND)
    }

    /// Keeps the clock from being advanced. Hold it from a decision that depends on the time until the decision is
    /// carried out: otherwise a request that was allowed when it was decided on may be too late when it is sent.
    pub async fn hold(&self) -> Hold {
        Hold(self.holds.clone().read_owned().await)
    }

    /// Advances the clock, as soon as nobody holds it.
    pub async fn advance(&self, by: Duration) {
        let _nobody_holds_it = self.holds.write().await;
        let at = system_time();
        self.advances
            .send_modify(|advances| advances.push(Advance { at, by }));
    }

    /// Waits until the clock shows a time.
    pub async fn sleep_until(&self, time: SystemTime) {
        let mut advances = self.advances.subscribe();
        while let Ok(left) = time.duration_since(self.now()) {
            tokio::select! {
                () = tokio::time::sleep(left) => {}
                // Never fails, because `self` owns the sender.
                _ = advances.changed() => {}
            }
        }
    }

    fn advanced_before(&self, time: SystemTime) -> Duration {
        let advances = self.advances.borrow();
        let earlier = advances.iter().filter(|advance| advance.at <= time);
        earlier.map(|advance| advance.by).sum()
    }
}

#[expect(clippy::disallowed_methods, reason = "the only place that reads it")]
fn system_time() -> SystemTime {
    SystemTime::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_secs(24 * 60 * 60);

    #[tokio::test]
    async fn a_clone_is_advanced_too() {
        let clock = Clock::default();
        let clone = clock.clone();
        let before = clock.now();
        clone.advance(DAY).await;
        assert!(clock.now() >= before + DAY);
    }

    #[tokio::test]
    async fn a_clock_that_is_behind_can_catch_up() {
        let clock = Clock::behind(DAY);
        let before = system_time();
        assert!(clock.now() <= system_time() - DAY);
        clock.advance(DAY).await;
        let after = system_time();
        assert_eq!(clock.at(before), before - DAY);
        assert_eq!(clock.at(after), after);
    }

    #[tokio::test]
    async fn a_time_is_converted_by_the_advances_before_it() {
        let clock = Clock::default();
        let before = system_time() - ALMOST_A_SECOND * 3;
        clock.advance(DAY).await;
        clock.advance(DAY).await;
        let after = system_time();
        assert_eq!(clock.at(before), before);
        assert_eq!(clock.at_second(before), before);
        assert_eq!(clock.at(after), after + 2 * DAY);
    }

    #[tokio::test]
    async fn a_time_rounded_down_past_an_advance_counts_as_after_it() {
        let clock = Clock::default();
        clock.advance(DAY).await;
        let rounded = system_time() - ALMOST_A_SECOND / 2;
        assert_eq!(clock.at_second(rounded), rounded + DAY);
    }

    #[tokio::test]
    async fn an_advance_ends_a_sleep() {
        let clock = Clock::default();
        let sleep = clock.sleep_until(clock.now() + DAY);
        tokio::pin!(sleep);
        tokio::select! {
            biased;
            () = &mut sleep => panic!("the sleep ended before its time"),
            () = tokio::task::yield_now() => {}
        }
        clock.advance(DAY).await;
        sleep.await;
    }

    #[tokio::test]
    async fn a_clock_is_not_advanced_while_it_is_held() {
        let clock = Clock::default();
        let hold = clock.hold().await;
        let advance = clock.advance(DAY);
        tokio::pin!(advance);
        tokio::select! {
            biased;
            () = &mut advance => panic!("advanced while it was held"),
            () = tokio::task::yield_now() => {}
        }
        drop(hold);
        advance.await;
    }
}
